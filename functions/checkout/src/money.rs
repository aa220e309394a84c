//! Money: an integer of minor units of one currency.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::http::contract;
use utoipa::ToSchema;

/// An ISO 4217 currency code in capital letters: `EUR`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

contract::text!(Currency, "^[A-Z]{3}$", "EUR", "A currency of ISO 4217.");

/// The text is not a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three capital letters of ISO 4217")]
pub struct InvalidCurrency;

impl Currency {
    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        if code.iter().all(u8::is_ascii_uppercase) { Ok(Self(code)) } else { Err(InvalidCurrency) }
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(text: String) -> Result<Self, InvalidCurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An amount of money, in minor units: 1999 with `EUR` is 19.99 €.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": 3499, "currency": "EUR"}))]
pub struct Money {
    /// The number of minor units.
    pub amount: u64,
    /// The currency.
    pub currency: Currency,
}

/// The largest amount, in minor units. It is Stripe's limit
/// (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>).
pub const MAX_AMOUNT: u64 = 99_999_999;

impl Money {
    /// An amount, in minor units of a currency.
    #[must_use]
    pub fn new(amount: u64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// The sum. `None` if the currencies differ or the sum is more than [`MAX_AMOUNT`].
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let amount = self.amount.checked_add(other.amount)?;
        (self.currency == other.currency && amount <= MAX_AMOUNT).then_some(Self { amount, ..self })
    }

    /// The amount times `quantity`. `None` if the product is more than [`MAX_AMOUNT`].
    #[must_use]
    pub fn times(self, quantity: u32) -> Option<Self> {
        let amount = self.amount.checked_mul(u64::from(quantity))?;
        (amount <= MAX_AMOUNT).then_some(Self { amount, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}
