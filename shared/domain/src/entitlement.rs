//! The features that a tenant may use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Error, FeatureKey, FeatureValue, Features, PlanId, Result, Subscription, Tenant, TenantId,
    TenantStatus, UserId,
};
use schema::{FromJson, Timestamp, Violation, body, nullable};

body! {
    /// The body of `PUT /tenants/{id}/entitlements/{key}`.
    #[derive(Clone, Debug)]
    pub struct NewOverride {
        /// The value for this tenant.
        pub value: FeatureValue,
    }
}

/// The plan of a tenant's subscription, with its features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanFeatures {
    /// The plan.
    pub plan_id: PlanId,
    /// The features, as they were when the subscription took its terms.
    pub features: Features,
}

/// The features that were granted to a tenant: by its plan, and by overrides. Stored beside the
/// tenant, whose status says whether it may use them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grants {
    /// The ID of the tenant.
    pub id: TenantId,
    /// The features of the plan, or `None` without a subscription in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanFeatures>,
    /// The values that apply to the tenant in place of its plan's.
    #[serde(default)]
    pub overrides: Features,
    /// When the grants were last changed.
    pub modified_on: Timestamp,
    /// The user who last changed the grants.
    pub modified_by: UserId,
}

/// The source of a feature's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeatureSource {
    /// The plan of the tenant's subscription.
    Plan,
    /// An override of the tenant.
    Override,
}

/// A feature that a tenant may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entitlement {
    /// The value.
    pub value: FeatureValue,
    /// The source of the value.
    pub source: FeatureSource,
}

/// Everything that a tenant may use, the answer of `GET /tenants/{id}/entitlements`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entitlements {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The tenant's status. A suspended tenant keeps its features but may not use them.
    pub status: TenantStatus,
    /// The plan, or `None` without a subscription in use.
    pub plan_id: Option<PlanId>,
    /// The features by key.
    pub features: BTreeMap<FeatureKey, Entitlement>,
}

impl PlanFeatures {
    /// Returns the features that a subscription gives its tenant. Returns `None` if the subscription
    /// is pending or has ended.
    #[must_use]
    pub fn of(subscription: &Subscription) -> Option<Self> {
        let Subscription { phase, plan, .. } = subscription;
        let features = || Self { plan_id: plan.plan_id, features: plan.features.clone() };
        phase.is_entitled().then(features)
    }
}

impl Grants {
    /// Creates the grants of a tenant, without any features.
    #[must_use]
    pub fn none(id: TenantId, now: Timestamp, by: &UserId) -> Self {
        let (plan, overrides) = (None, Features::default());
        Self { id, plan, overrides, modified_on: now, modified_by: by.clone() }
    }

    /// Returns the grants after `by` overrides a feature.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the tenant has the maximum number of overrides.
    pub fn with_override(
        mut self,
        key: FeatureKey,
        value: FeatureValue,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Self> {
        let overridden = &mut self.overrides.0;
        if overridden.len() >= Features::MAX && !overridden.contains_key(&key) {
            return Err(Error::Invalid(vec![Violation {
                path: String::new(),
                code: "maxProperties",
                message: format!("must NOT have more than {} overrides", Features::MAX),
                info: json!({ "limit": Features::MAX }),
            }]));
        }
        overridden.insert(key, value);
        Ok(Self { modified_on: now, modified_by: by.clone(), ..self })
    }

    /// Returns the grants after `by` removes an override.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such override.
    pub fn without_override(
        mut self,
        key: &FeatureKey,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Self> {
        let removed = self.overrides.0.remove(key);
        removed.ok_or_else(|| no_override(key))?;
        Ok(Self { modified_on: now, modified_by: by.clone(), ..self })
    }

    /// Returns the features by key. An override wins over the plan.
    #[must_use]
    pub fn features(&self) -> BTreeMap<FeatureKey, Entitlement> {
        let of = |features: &Features, source| {
            let copy = |(key, value): (&FeatureKey, &FeatureValue)| {
                (key.clone(), Entitlement { value: value.clone(), source })
            };
            features.0.iter().map(copy).collect::<BTreeMap<_, _>>()
        };
        let plan = self.plan.as_ref().map(|plan| of(&plan.features, FeatureSource::Plan));
        let mut features = plan.unwrap_or_default();
        features.extend(of(&self.overrides, FeatureSource::Override));
        features
    }

    /// Returns whether a tenant with these grants may use other features than one with `earlier`.
    #[must_use]
    pub fn differ_from(&self, earlier: Option<&Self>) -> bool {
        let plan_id = |grants: &Self| grants.plan.as_ref().map(|plan| plan.plan_id);
        let (plan, features) =
            earlier.map_or((None, BTreeMap::new()), |grants| (plan_id(grants), grants.features()));
        plan_id(self) != plan || self.features() != features
    }
}

/// Returns the error for an override that does not exist.
fn no_override(key: &FeatureKey) -> Error {
    Error::NotFound { entity: "Override", id: key.as_str().to_owned() }
}

impl Entitlements {
    /// Combines a tenant with what was granted to it.
    #[must_use]
    pub fn new(tenant: &Tenant, grants: Option<&Grants>) -> Self {
        Self {
            tenant_id: tenant.id,
            status: tenant.status,
            plan_id: grants.and_then(|grants| grants.plan.as_ref()).map(|plan| plan.plan_id),
            features: grants.map(Grants::features).unwrap_or_default(),
        }
    }

    /// Returns the JSON Schema of the entitlements.
    #[must_use]
    pub fn schema() -> Value {
        let feature = json!({
            "type": "object",
            "properties": {
                "value": FeatureValue::schema(),
                "source": { "type": "string", "enum": ["plan", "override"] },
            },
            "required": ["value", "source"],
            "additionalProperties": false,
        });
        json!({
            "type": "object",
            "properties": {
                "tenantId": TenantId::schema(),
                "status": { "type": "integer", "minimum": 0, "maximum": TenantStatus::ALL.len() - 1 },
                "planId": nullable(PlanId::schema()),
                "features": { "type": "object", "additionalProperties": feature },
            },
            "required": ["tenantId", "status", "planId", "features"],
            "additionalProperties": false,
        })
    }

    /// Returns an example for the OpenAPI document.
    #[must_use]
    pub fn example() -> Value {
        json!({
            "tenantId": "019aad7e-8a10-7c3e-9d2f-6b5a4c3d2e1f", "status": 0,
            "planId": "019aad7e-2b40-7f11-8a6c-1d2e3f4a5b6c",
            "features": {
                "seats": { "value": 25, "source": "override" },
                "sso": { "value": true, "source": "plan" },
            },
        })
    }
}

#[cfg(test)]
mod tests;
