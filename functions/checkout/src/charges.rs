//! Which amounts the payment provider charges: Stripe's rules by currency
//! (<https://docs.stripe.com/currencies>).
//!
//! An amount is in Stripe's minor units: hundredths for most currencies, whole units for currencies
//! without decimals such as `JPY`, thousandths for currencies with three decimals. Some currencies differ
//! from ISO 4217: an amount of `ISK` or `UGX` is in hundredths and must be a multiple of 100; an amount of
//! `MGA` is in whole ariary; the last digit of an amount with three decimals must be 0.

use crate::money::{Currency, Money};

/// The smallest total that Stripe charges (<https://docs.stripe.com/currencies>, of 2026-07-10), in minor
/// units. If the account settles in another currency, the converted total must also reach the minimum of
/// that currency. This code does not check that; the provider refuses such a total.
const MINIMUMS: [(&str, u64); 31] = [
    ("AED", 200),
    ("ARS", 50),
    ("AUD", 50),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("COP", 50),
    ("CZK", 1500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("IDR", 50),
    ("ILS", 50),
    ("INR", 50),
    ("JPY", 50),
    ("KRW", 50),
    ("MXN", 1000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PHP", 50),
    ("PLN", 200),
    ("RON", 200),
    ("RUB", 50),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1000),
    ("USD", 50),
    ("ZAR", 50),
];

/// Why an amount cannot be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChargeError {
    /// The currency does not exist, or nobody pays with it.
    #[error("{0} is not an ISO 4217 currency in use")]
    Currency(Currency),
    /// The amount is not a multiple of the currency's smallest unit, which is the second value.
    #[error("an amount in {0} is a multiple of {1}")]
    Unit(Currency, u64),
    /// The total is less than the minimum, which is the value.
    #[error("at least {amount}, in minor units of {currency}", amount = .0.amount, currency = .0.currency)]
    TooSmall(Money),
}

/// Checks that a price, or a part of a price, can be part of a charge.
///
/// # Errors
/// When the currency is not in use, or the amount is not a multiple of the currency's smallest unit.
pub fn check(amount: Money) -> Result<(), ChargeError> {
    let currency = amount.currency;
    let known = iso_currency::Currency::from_code(currency.code());
    let known = known
        .filter(|known| !known.is_fund() && !known.is_special() && known.is_superseded().is_none());
    let decimals = known.and_then(iso_currency::Currency::exponent);
    let unit = match (currency.code(), decimals.ok_or(ChargeError::Currency(currency))?) {
        ("ISK" | "UGX", _) => 100,
        (_, 3) => 10,
        _ => 1,
    };
    if amount.amount.is_multiple_of(unit) { Ok(()) } else { Err(ChargeError::Unit(currency, unit)) }
}

/// Checks that a total can be charged. If Stripe does not publish a minimum for the currency, only the
/// provider checks it.
///
/// # Errors
/// The errors of [`check`], and [`ChargeError::TooSmall`] when the total is below the minimum.
pub fn check_total(total: Money) -> Result<(), ChargeError> {
    check(total)?;
    let code = total.currency.code();
    let least =
        MINIMUMS.iter().find(|(currency, _)| *currency == code).map_or(1, |(_, least)| *least);
    if total.amount >= least {
        return Ok(());
    }
    Err(ChargeError::TooSmall(Money { amount: least, ..total }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: u64, code: &str) -> Money {
        Money::new(amount, code.parse().unwrap())
    }

    #[test]
    fn amounts_are_multiples_of_the_smallest_unit_of_their_currency() {
        for (amount, code, unit) in [
            (1, "EUR", 1),
            (1, "JPY", 1),
            (1, "MGA", 1),
            (1, "HUF", 1),
            (1, "TWD", 1),
            (500, "ISK", 1),
            (550, "ISK", 100),
            (501, "UGX", 100),
            (5_120, "KWD", 1),
            (5_124, "KWD", 10),
            (5, "BHD", 10),
        ] {
            let amount = money(amount, code);
            let refused = Err(ChargeError::Unit(amount.currency, unit));
            assert_eq!(check(amount), if unit == 1 { Ok(()) } else { refused }, "{amount}");
        }
    }

    #[test]
    fn only_currencies_that_people_pay_with_are_accepted() {
        // Unknown, "no currency", test code, gold, a fund, and two that the euro replaced.
        for code in ["ABC", "ZZZ", "XXX", "XTS", "XAU", "CHE", "HRK", "BGN"] {
            let amount = money(1_000, code);
            assert_eq!(check(amount), Err(ChargeError::Currency(amount.currency)));
        }
        for (code, least) in MINIMUMS {
            assert_eq!(check_total(money(least, code)), Ok(()), "{code}");
        }
    }

    #[test]
    fn a_total_reaches_the_minimum() {
        for (amount, code, least) in [(49, "EUR", 50), (29, "GBP", 30), (17_499, "HUF", 17_500)] {
            let refused = Err(ChargeError::TooSmall(money(least, code)));
            assert_eq!(check_total(money(amount, code)), refused);
            assert_eq!(check_total(money(least, code)), Ok(()));
        }
        assert_eq!(check_total(money(10, "KWD")), Ok(()), "the provider decides");
    }
}
