use domain::Text;
use lambda::{Env, config::ConfigError};
use schema::read;

/// The issuer printed on invoices.
#[derive(Clone, Debug, Default)]
pub struct Issuer {
    /// The name: `INVOICE_ISSUER_NAME`, or `APP_NAME`.
    pub name: String,
    /// The lines of the address: `INVOICE_ISSUER_ADDRESS`, separated by `|`.
    pub address: Vec<String>,
    /// The tax ID: `INVOICE_ISSUER_TAX_ID`.
    pub tax_id: Option<String>,
    /// The payment terms: `INVOICE_ISSUER_PAYMENT_TERMS`.
    pub payment_terms: Option<String>,
}

impl Issuer {
    /// Reads the issuer from the environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if there is no name, or if a variable is too long or has several lines.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let name = match text::<100>(env, "INVOICE_ISSUER_NAME")? {
            Some(name) => name,
            None => env.required("APP_NAME")?.to_owned(),
        };
        let address = text::<500>(env, "INVOICE_ISSUER_ADDRESS")?.unwrap_or_default();
        let lines = address.split('|').map(str::trim).filter(|line| !line.is_empty());
        Ok(Self {
            name,
            address: lines.map(str::to_owned).collect(),
            tax_id: text::<100>(env, "INVOICE_ISSUER_TAX_ID")?,
            payment_terms: text::<500>(env, "INVOICE_ISSUER_PAYMENT_TERMS")?,
        })
    }

    /// Returns the lines below the name: the address and the tax ID.
    pub(crate) fn details(&self) -> Vec<String> {
        let tax_id = self.tax_id.iter().map(|id| format!("Tax ID: {id}"));
        self.address.iter().cloned().chain(tax_id).collect()
    }
}

/// Reads a text of at most `MAX` characters.
fn text<const MAX: usize>(env: &Env, name: &str) -> Result<Option<String>, ConfigError> {
    let rule = || format!("must be one line of at most {MAX} characters, of which one is visible");
    let read = |text: &str| read::<Text<1, MAX>>(&text.into()).map(|text| text.to_string());
    env.get(name).map(read).transpose().map_err(|_| Env::malformed(name, rule()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(variables: &[(&str, &str)]) -> Result<Issuer, ConfigError> {
        Issuer::from_env(&variables.iter().copied().collect())
    }

    #[test]
    fn the_issuer_is_named_as_the_product_unless_it_has_a_name() {
        assert_eq!(issuer(&[("APP_NAME", "Tenantry")]).unwrap().name, "Tenantry");
        let own = issuer(&[
            ("APP_NAME", "Tenantry"),
            ("INVOICE_ISSUER_NAME", "Acme Ltd"),
            ("INVOICE_ISSUER_ADDRESS", "1 Main St | Springfield|"),
            ("INVOICE_ISSUER_TAX_ID", "GB 123"),
        ]);
        let own = own.unwrap();
        assert_eq!(own.name, "Acme Ltd");
        assert_eq!(own.details(), ["1 Main St", "Springfield", "Tax ID: GB 123"]);
        assert!(issuer(&[]).is_err());
    }

    #[test]
    fn a_malformed_variable_is_named() {
        let long = "x".repeat(501);
        for (name, text) in [
            ("INVOICE_ISSUER_NAME", " "),
            ("INVOICE_ISSUER_ADDRESS", "1 Main St\nSpringfield"),
            ("INVOICE_ISSUER_PAYMENT_TERMS", &long),
        ] {
            let refused = issuer(&[("APP_NAME", "Tenantry"), (name, text)]).unwrap_err();
            assert!(refused.to_string().contains(name), "{refused}");
        }
    }
}
