/// The reason why a plan, a subscription, an invoice or the suspension of a tenant does not allow an
/// action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A lead names a plan that is not on offer, or sends its own terms.
    #[error("This plan is not on offer. Choose a plan of the catalog.")]
    PlanNotPublic,
    /// The plan is a draft or archived.
    #[error("The plan is not active. Activate it, or choose another plan.")]
    PlanNotActive,
    /// The plan has, or had, a subscriber.
    #[error("A plan that had a subscriber can't be deleted. Archive it.")]
    PlanInUse,
    /// The tenant already has a subscription that has not ended.
    #[error("The tenant already has a subscription. Change or cancel it.")]
    SubscriptionExists,
    /// The phase of the subscription does not allow this. The text says what to do.
    #[error("{0}")]
    SubscriptionState(&'static str),
    /// The status of the tenant does not allow this. The text says what to do.
    #[error("{0}")]
    TenantState(&'static str),
    /// A job of the tenant is open.
    #[error("A job of the tenant is open. Wait until it has finished.")]
    JobOpen,
    /// The tenant is suspended, so that its lead can change nothing.
    #[error("The tenant is suspended. Nothing can be changed until it is reactivated.")]
    TenantSuspended,
    /// The invoice is paid or cancelled.
    #[error("A paid or cancelled invoice can't be changed or deleted. Create another invoice.")]
    InvoiceFinal,
    /// A member of a subscription follows from an action.
    #[error("`{member}` can't be set directly. Use the operation \"{action}\".")]
    UseAction {
        /// The member.
        member: &'static str,
        /// The last segment of the operation's path.
        action: &'static str,
    },
}

/// The crate `web` answers with the codes; these are what the tests expect.
#[cfg(test)]
impl Refusal {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::PlanNotPublic => "PLAN_NOT_PUBLIC",
            Self::PlanNotActive => "PLAN_NOT_ACTIVE",
            Self::PlanInUse => "PLAN_IN_USE",
            Self::SubscriptionExists => "SUBSCRIPTION_EXISTS",
            Self::SubscriptionState(_) => "SUBSCRIPTION_STATE",
            Self::TenantState(_) => "TENANT_STATE",
            Self::JobOpen => "JOB_OPEN",
            Self::TenantSuspended => "TENANT_SUSPENDED",
            Self::InvoiceFinal => "INVOICE_FINAL",
            Self::UseAction { .. } => "USE_ACTION",
        }
    }
}

/// Whether a decision may be taken, without a value.
pub(crate) type Allowed = Result<(), Refusal>;

/// Returns `refusal` unless the condition holds.
pub(crate) fn allow_if(holds: bool, refusal: Refusal) -> Allowed {
    if holds { Ok(()) } else { Err(refusal) }
}
