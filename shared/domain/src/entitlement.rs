//! The features that a tenant may use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{FeatureKey, FeatureValue, Features, PlanId, Subscription, TenantId, TenantStatus};
use schema::body;

body! {
    /// The body of `PUT /tenants/{id}/entitlements/{key}`.
    #[derive(Clone, Debug)]
    pub struct NewOverride {
        /// The value for this tenant.
        pub value: FeatureValue,
    }
}

/// The values of features that apply to a tenant in place of its plan's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Overrides(pub Features);

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

impl Entitlements {
    /// Combines the features of the tenant's current subscription with its overrides. A subscription
    /// that is pending or has ended gives none.
    #[must_use]
    pub fn new(
        tenant_id: TenantId,
        status: TenantStatus,
        subscription: Option<&Subscription>,
        overrides: &Overrides,
    ) -> Self {
        let used = subscription.filter(|subscription| subscription.phase.is_entitled());
        let of = |features: &Features, source| {
            let copy = |(key, value): (&FeatureKey, &FeatureValue)| {
                (key.clone(), Entitlement { value: value.clone(), source })
            };
            features.0.iter().map(copy).collect::<BTreeMap<_, _>>()
        };
        let mut features =
            used.map_or_else(BTreeMap::new, |used| of(&used.plan.features, FeatureSource::Plan));
        features.extend(of(&overrides.0, FeatureSource::Override));
        Self { tenant_id, status, plan_id: used.map(|used| used.plan.plan_id), features }
    }
}

impl Overrides {
    /// Returns whether another override fits: `key` is overridden already, or fewer than the maximum
    /// are.
    #[must_use]
    pub fn fits(&self, key: &FeatureKey) -> bool {
        self.0.0.contains_key(key) || self.0.0.len() < Features::MAX
    }
}

#[cfg(test)]
mod tests;
