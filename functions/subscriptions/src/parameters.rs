use domain::{Error, Result};
use url::form_urlencoded;

/// The parameters of a query.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the `known` parameters of a query. Others are ignored, as everywhere.
    ///
    /// # Errors
    ///
    /// [`Error::BadParameter`] if a parameter is given twice.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Self> {
        let given = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned();
        let given: Vec<_> = given.filter(|(name, _)| known.contains(&name.as_str())).collect();
        for name in known {
            if given.iter().filter(|(given, _)| given == name).count() > 1 {
                return Err(Error::BadParameter(format!("{name}: must be given once")));
            }
        }
        Ok(Self(given))
    }

    /// Returns whether the parameter is `true`. False by default.
    ///
    /// # Errors
    ///
    /// [`Error::BadParameter`] if the parameter is neither `true` nor `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Error::BadParameter(format!("{name}: must be true or false"))),
        }
    }

    /// Returns the number of days that a parameter gives, from 1 to `most`.
    ///
    /// # Errors
    ///
    /// [`Error::BadParameter`] for anything else.
    pub(crate) fn days(&self, name: &str, default: u16, most: u16) -> Result<u16> {
        let Some(given) = self.get(name) else { return Ok(default) };
        let digits = given.bytes().all(|byte| byte.is_ascii_digit());
        let days = given.parse().ok().filter(|days| digits && (1..=most).contains(days));
        let rule = || Error::BadParameter(format!("{name}: must be a number from 1 to {most}"));
        days.ok_or_else(rule)
    }

    /// Returns a parameter as it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(given, value)| (given == name).then_some(value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_given_once_within_its_bounds() {
        let read = |query| Parameters::read(Some(query), &["days", "dryRun"]);
        let days = |query: &'static str| read(query).and_then(|all| all.days("days", 7, 365)).ok();
        assert_eq!(days("other=x"), Some(7));
        assert_eq!(days("days=30"), Some(30));
        for bad in ["days=0", "days=366", "days=+7", "days=", "days=x", "days=1&days=2"] {
            assert_eq!(days(bad), None, "{bad}");
        }
        let flag = |query: &'static str| read(query).and_then(|all| all.flag("dryRun")).ok();
        assert_eq!(
            [flag(""), flag("dryRun=true"), flag("dryRun=1")],
            [Some(false), Some(true), None]
        );
    }
}
