use super::{Proration, When};
use crate::{PlanId, TenantId};
use schema::body;

body! {
    /// The body of `POST /subscriptions`.
    #[derive(Clone, Debug)]
    pub struct NewSubscription {
        /// The tenant.
        pub subscriber_id: TenantId,
        /// The plan.
        pub plan_id: PlanId,
        /// Whether to begin with the trial of the plan. True by default.
        pub trial: Option<bool>,
    }
}

body! {
    /// The body of `POST /subscriptions/{id}/change`.
    #[derive(Clone, Debug)]
    pub struct NewPlanChange {
        /// The new plan.
        pub plan_id: PlanId,
        /// When the change takes effect. Now by default.
        pub when: Option<When>,
        /// The effect on the price of the current period. None by default.
        pub proration: Option<Proration>,
    }
}
