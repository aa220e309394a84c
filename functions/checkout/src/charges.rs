//! Which amounts the payment provider takes: Stripe's rules by currency
//! (<https://docs.stripe.com/currencies>).
//!
//! An amount counts what Stripe counts: hundredths of most currencies, whole units of those without
//! decimals such as `JPY`, thousandths of those with three. Four currencies differ from ISO 4217: of `ISK`
//! and `UGX` an amount is in hundredths and has to be whole, `MGA` is in whole ariary, and of those with
//! three decimals the last digit has to be 0.

use crate::money::{Currency, Money};

/// The smallest total that Stripe charges (<https://docs.stripe.com/currencies>, of 2026-07-10). If the account
/// is settled in another currency, the total must also reach that one's minimum once it is converted: the
/// provider refuses what does not.
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
pub enum Uncharged {
    /// There is no such currency, or it is none that people pay with.
    #[error("{0} is no currency of ISO 4217 that is in use")]
    Currency(Currency),
    /// The amount is finer than what the currency is paid in.
    #[error("an amount in {0} is a multiple of {1}")]
    Unit(Currency, u64),
    /// The amount is less than what is charged at once.
    #[error("at least {amount}, in minor units of {currency}", amount = .0.amount, currency = .0.currency)]
    TooSmall(Money),
}

/// Makes sure that a price, or a part of one, can be part of a charge.
///
/// # Errors
/// When its currency is not in use, or it is finer than what that is paid in.
pub fn check(amount: Money) -> Result<(), Uncharged> {
    let currency = amount.currency;
    let known = iso_currency::Currency::from_code(currency.code());
    let known = known
        .filter(|known| !known.is_fund() && !known.is_special() && known.is_superseded().is_none());
    let decimals = known.and_then(iso_currency::Currency::exponent);
    let unit = match (currency.code(), decimals.ok_or(Uncharged::Currency(currency))?) {
        ("ISK" | "UGX", _) => 100,
        (_, 3) => 10,
        _ => 1,
    };
    if amount.amount.is_multiple_of(unit) { Ok(()) } else { Err(Uncharged::Unit(currency, unit)) }
}

/// Makes sure that a total can be charged at once. In currencies whose smallest charge is not published
/// the provider decides.
///
/// # Errors
/// The same, and when it is too small.
pub fn check_total(total: Money) -> Result<(), Uncharged> {
    check(total)?;
    let code = total.currency.code();
    let least =
        MINIMUMS.iter().find(|(currency, _)| *currency == code).map_or(1, |(_, least)| *least);
    if total.amount >= least {
        return Ok(());
    }
    Err(Uncharged::TooSmall(Money { amount: least, ..total }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: u64, code: &str) -> Money {
        Money::new(amount, code.parse().unwrap())
    }

    #[test]
    fn amounts_are_whole_in_what_their_currency_is_paid_in() {
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
            let refused = Err(Uncharged::Unit(amount.currency, unit));
            assert_eq!(check(amount), if unit == 1 { Ok(()) } else { refused }, "{amount}");
        }
    }

    #[test]
    fn only_currencies_that_people_pay_with_are_taken() {
        // None, for tests, gold, a fund, and two that euros have replaced.
        for code in ["ABC", "ZZZ", "XXX", "XTS", "XAU", "CHE", "HRK", "BGN"] {
            let amount = money(1_000, code);
            assert_eq!(check(amount), Err(Uncharged::Currency(amount.currency)));
        }
        for (code, least) in MINIMUMS {
            assert_eq!(check_total(money(least, code)), Ok(()), "{code}");
        }
    }

    #[test]
    fn a_total_has_the_least_that_is_charged() {
        for (amount, code, least) in [(49, "EUR", 50), (29, "GBP", 30), (17_499, "HUF", 17_500)] {
            let refused = Err(Uncharged::TooSmall(money(least, code)));
            assert_eq!(check_total(money(amount, code)), refused);
            assert_eq!(check_total(money(least, code)), Ok(()));
        }
        assert_eq!(check_total(money(10, "KWD")), Ok(()), "the provider decides");
    }
}
