//! A cart: the products that a customer wants to order, at the prices that the customer saw.

use std::collections::BTreeMap;

use inventory::Sku;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::money::Money;
use crate::order::Line;
use crate::product::Product;

/// The most lines of a cart. All lines and their stock must fit into one transaction.
pub const MAX_LINES: usize = 20;
/// The largest quantity of one product.
pub const MAX_QUANTITY: u32 = 999;

/// A cart. It has one line for each product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// The number of changes. Of two concurrent changes, one is refused and retried.
    pub version: u64,
    /// The lines, by product.
    pub lines: BTreeMap<Sku, CartLine>,
}

/// A product in a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CartLine {
    /// The name that the customer saw.
    pub name: String,
    /// The quantity.
    pub quantity: u32,
    /// The price of one unit that the customer saw.
    pub unit_price: Money,
}

/// Why a change of a cart is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CartError {
    /// The cart would have more than [`MAX_LINES`] lines.
    #[error("a cart has at most {MAX_LINES} products")]
    TooManyLines,
    /// The quantity of a product would be 0 or more than [`MAX_QUANTITY`].
    #[error("the quantity of a product is 1 to {MAX_QUANTITY}")]
    Quantity,
    /// The prices would be in two currencies.
    #[error("all prices in a cart have one currency")]
    Currencies,
    /// The total would be more than [`MAX_AMOUNT`](crate::money::MAX_AMOUNT).
    #[error("the total of a cart is at most {} minor units", crate::money::MAX_AMOUNT)]
    Total,
}

impl Cart {
    /// Adds `quantity` of a product to the cart. The whole line gets the product's current price.
    pub fn add(&mut self, sku: Sku, product: &Product, quantity: u32) -> Result<(), CartError> {
        if quantity == 0 {
            return Err(CartError::Quantity);
        }
        let before = self.lines.get(&sku).map_or(0, |line| line.quantity);
        self.set(sku, product, before.saturating_add(quantity))
    }

    /// Sets the quantity of a product in the cart, at the product's current price.
    pub fn set(&mut self, sku: Sku, product: &Product, quantity: u32) -> Result<(), CartError> {
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            return Err(CartError::Quantity);
        }
        let (name, unit_price) = (product.name.clone(), product.price);
        let mut lines = self.lines.clone();
        lines.insert(sku, CartLine { name, quantity, unit_price });
        if lines.len() > MAX_LINES {
            return Err(CartError::TooManyLines);
        }
        let mut currencies = lines.values().map(|line| line.unit_price.currency);
        if currencies.any(|currency| currency != unit_price.currency) {
            return Err(CartError::Currencies);
        }
        let changed = Self { version: self.version, lines };
        if changed.total().is_none() {
            return Err(CartError::Total);
        }
        self.lines = changed.lines;
        Ok(())
    }

    /// Adds the lines of an unpaid order to the cart. A product that is already in the cart keeps the cart's
    /// price, which the customer saw later. Returns the products whose full quantity does not fit.
    pub fn take_back(&mut self, lines: &[Line]) -> Vec<Sku> {
        let mut left_out = Vec::new();
        for line in lines {
            let before = self.lines.get(&line.sku);
            let wanted = before.map_or(0, |before| before.quantity).saturating_add(line.quantity);
            let (name, price) = before
                .map_or((&line.name, line.unit_price), |before| (&before.name, before.unit_price));
            let product = Product { name: name.clone(), price, active: true };
            let quantity = wanted.min(MAX_QUANTITY);
            let is_taken = self.set(line.sku.clone(), &product, quantity).is_ok();
            if !is_taken || quantity < wanted {
                left_out.push(line.sku.clone());
            }
        }
        left_out
    }

    /// The total price. `None` if the cart is empty.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        let mut costs = self.lines.values().map(|line| line.unit_price.times(line.quantity));
        let first = costs.next()??;
        costs.try_fold(first, |sum, cost| sum.plus(cost?))
    }

    /// The lines of an order of this cart.
    #[must_use]
    pub fn order_lines(&self) -> Vec<Line> {
        let line = |(sku, line): (&Sku, &CartLine)| Line {
            sku: sku.clone(),
            name: line.name.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
        };
        self.lines.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::MAX_AMOUNT;

    fn product(amount: u64, currency: &str) -> Product {
        let price = Money::new(amount, currency.parse().unwrap());
        Product { name: "a product".into(), price, active: true }
    }

    fn sku(text: &str) -> Sku {
        text.parse().unwrap()
    }

    #[test]
    fn a_product_has_one_line_at_its_latest_price() {
        let mut cart = Cart::default();
        cart.add(sku("a"), &product(100, "EUR"), 2).unwrap();
        cart.add(sku("a"), &product(90, "EUR"), 3).unwrap();
        assert_eq!(cart.lines.len(), 1);
        assert_eq!(cart.total(), Some(Money::new(450, "EUR".parse().unwrap())));
        cart.set(sku("a"), &product(90, "EUR"), 1).unwrap();
        assert_eq!(cart.total(), Some(Money::new(90, "EUR".parse().unwrap())));
    }

    #[test]
    fn a_price_may_change_its_currency_if_the_cart_has_no_other_product() {
        let mut cart = Cart::default();
        cart.add(sku("a"), &product(100, "EUR"), 2).unwrap();
        cart.add(sku("a"), &product(100, "USD"), 1).unwrap();
        assert_eq!(cart.add(sku("b"), &product(1, "EUR"), 1), Err(CartError::Currencies));
    }

    #[test]
    fn limits_hold_and_a_refused_change_changes_nothing() {
        let mut cart = Cart::default();
        for number in 1..=MAX_LINES {
            cart.add(sku(&number.to_string()), &product(1, "EUR"), 1).unwrap();
        }
        cart.set(sku("1"), &product(1, "EUR"), MAX_QUANTITY).unwrap();
        let before = cart.clone();
        for (name, quantity, price, error) in [
            ("21", 1, 1, CartError::TooManyLines),
            ("1", 1, 1, CartError::Quantity),
            ("1", 0, 1, CartError::Quantity),
            ("2", u32::MAX, 1, CartError::Quantity),
            ("2", 1, MAX_AMOUNT, CartError::Total),
        ] {
            let added = cart.add(sku(name), &product(price, "EUR"), quantity);
            assert_eq!(added, Err(error), "{name}, {quantity}");
        }
        assert_eq!(cart.set(sku("2"), &product(1, "EUR"), 0), Err(CartError::Quantity));
        assert_eq!(cart, before);
    }

    proptest! {
        #[test]
        fn a_cart_takes_back_the_quantity_that_fits_and_loses_no_line(
            ordered in prop::collection::btree_map(0_u8..30, (1_u32..=999, 1_u64..20_000), 1..20),
            puts in prop::collection::btree_map(0_u8..30, (1_u32..=999, 1_u64..20_000), 0..20),
            other in any::<bool>(),
        ) {
            let line = |(number, (quantity, price)): (u8, (u32, u64))| Line {
                sku: sku(&number.to_string()),
                name: "ordered".into(),
                quantity,
                unit_price: Money::new(price, "EUR".parse().unwrap()),
            };
            let lines: Vec<Line> = ordered.into_iter().map(line).collect();
            let mut cart = Cart::default();
            for (number, (quantity, price)) in puts {
                let currency = if other { "USD" } else { "EUR" };
                let _ = cart.add(sku(&number.to_string()), &product(price, currency), quantity);
            }
            let before = cart.clone();
            let left_out = cart.take_back(&lines);
            prop_assert!(cart.lines.len() <= MAX_LINES);
            prop_assert_eq!(cart.total().is_some(), !cart.lines.is_empty());
            for (sku, line) in &before.lines {
                prop_assert!(cart.lines[sku].quantity >= line.quantity);
                prop_assert_eq!(cart.lines[sku].unit_price, line.unit_price);
            }
            for line in &lines {
                let was = before.lines.get(&line.sku).map_or(0, |line| line.quantity);
                let is = cart.lines.get(&line.sku).map_or(0, |line| line.quantity);
                prop_assert_eq!(is == was + line.quantity, !left_out.contains(&line.sku));
            }
        }

        #[test]
        fn every_cart_can_be_ordered(
            puts in prop::collection::vec((0_u8..30, 0_u32..1100, 0_u64..MAX_AMOUNT), 1..60),
        ) {
            let mut cart = Cart::default();
            for (number, quantity, price) in puts {
                // Some of these are refused.
                let _ = cart.add(sku(&number.to_string()), &product(price, "EUR"), quantity);
                prop_assert!(cart.lines.len() <= MAX_LINES);
                prop_assert_eq!(cart.total().is_some(), !cart.lines.is_empty());
                let lines = cart.order_lines();
                let sum = lines.iter().map(|line| line.unit_price.amount * u64::from(line.quantity));
                prop_assert_eq!(cart.total().map_or(0, |total| total.amount), sum.sum::<u64>());
            }
        }
    }
}
