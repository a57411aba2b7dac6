use serde_json::{Value, json};

use super::SubscriptionText;
use crate::{PlanId, Result, Tiers};
use schema::{Document, FromJson, body};

/// The body of `POST /tenants/{id}/provision`: the source of the tenant's terms.
#[derive(Clone, Debug)]
pub enum NewProvisioning {
    /// A plan by its ID.
    Plan(PlanId),
    /// A subscription with its terms, as the facades of ARC SaaS send it.
    FreeForm(SubscriptionText),
}

body! {
    /// The body that names a plan.
    struct NamedPlan {
        plan_id: PlanId,
    }
}

impl NewProvisioning {
    /// Reads a body. A body with `plan` has its terms there, whatever its `planId` is.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) if a named plan has no valid ID or other members are beside it; otherwise
    /// the same as [`SubscriptionText::from_text`].
    pub fn from_body(body: &Document, tiers: &Tiers) -> Result<Self> {
        let value = body.value();
        if value["planId"].is_null() || value.get("plan").is_some() {
            return SubscriptionText::from_text(body.text(), tiers).map(Self::FreeForm);
        }
        let NamedPlan { plan_id } = body.read()?;
        Ok(Self::Plan(plan_id))
    }

    /// Returns the JSON Schema of the body.
    #[must_use]
    pub fn schema() -> Value {
        json!({ "oneOf": [NamedPlan::schema(), SubscriptionText::schema()] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use schema::Limits;

    fn read(body: &Value) -> Result<NewProvisioning> {
        let body = Document::parse(body.to_string(), Limits::BODY).unwrap();
        NewProvisioning::from_body(&body, &Tiers::default())
    }

    #[test]
    fn a_body_with_terms_is_the_free_form_whatever_its_plan_id_is() {
        let id = PlanId::generate();
        for given in [json!("plan-1"), json!(id), Value::Null] {
            let body = json!({ "id": "s1", "planId": given, "plan": { "tier": "BASIC" } });
            assert!(matches!(read(&body), Ok(NewProvisioning::FreeForm(_))), "{body}");
        }
        let named = read(&json!({ "planId": id })).unwrap();
        assert!(matches!(named, NewProvisioning::Plan(read) if read == id));
        assert!(matches!(read(&json!({ "planId": null })), Err(Error::SubscriptionIdMissing)));
    }

    #[test]
    fn nothing_is_accepted_beside_a_named_plan() {
        let id = PlanId::generate();
        for (body, path) in [
            (json!({ "planId": "plan-1" }), "/planId"),
            (json!({ "planId": id, "price": 0 }), ""),
            (json!({ "planId": id, "id": "s1" }), ""),
        ] {
            let Err(Error::Invalid(violations)) = read(&body) else { panic!("{body}") };
            let [one] = violations.as_slice() else { panic!("{violations:?}") };
            assert_eq!(one.path, path, "{body}");
        }
        let either = json!({ "planId": id, "plan": null });
        assert!(matches!(read(&either), Err(Error::SubscriptionIdMissing)));
    }
}
