//! A cart: what a customer means to order, at the prices that the customer was shown.

use std::collections::BTreeMap;

use inventory::Sku;
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::order::Line;
use crate::product::Product;

/// The most lines of a cart: all of them must fit into one transaction with their stock.
pub const MAX_LINES: usize = 20;
/// The most of one product.
pub const MAX_QUANTITY: u32 = 999;

/// A cart. Each product stands in it once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Counts its changes, so that of two at once one is refused and tried again.
    pub version: u64,
    /// What is in it.
    pub lines: BTreeMap<Sku, CartLine>,
}

/// A product in a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// Its name, as it was shown.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The price that was shown.
    pub unit_price: Money,
}

/// Why a cart cannot be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CartError {
    /// It would have more than [`MAX_LINES`] lines.
    #[error("a cart has up to {MAX_LINES} products")]
    TooManyLines,
    /// There would be none of a product, or more than [`MAX_QUANTITY`].
    #[error("a cart has 1 to {MAX_QUANTITY} of a product")]
    Quantity,
    /// Its products would be in two currencies.
    #[error("a cart has products of one currency")]
    Currencies,
    /// It would cost more than can be paid at once.
    #[error("a cart costs no more than {} minor units", crate::money::MAX_AMOUNT)]
    Total,
}

impl Cart {
    /// Adds so many of a product to those that are in it, at the product's price now.
    pub fn add(&mut self, sku: Sku, product: &Product, quantity: u32) -> Result<(), CartError> {
        let before = self.lines.get(&sku).map_or(0, |line| line.quantity);
        self.set(sku, product, before.saturating_add(quantity))
    }

    /// Has so many of a product in it, at the product's price now.
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

    /// What it costs; nothing if it is empty.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        let mut costs = self.lines.values().map(|line| line.unit_price.times(line.quantity));
        let first = costs.next()??;
        costs.try_fold(first, |sum, cost| sum.plus(cost?))
    }

    /// What is ordered with it.
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
