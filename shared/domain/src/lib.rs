//! The rules and values of the control plane, without I/O.
//!
//! | module | nouns |
//! |---|---|
//! | `lead` | leads, requests for another link, and these links |
//! | `tenant` | tenants with their keys, statuses and resources |
//! | `child` | contacts, invoices and configurations of a tenant |
//! | `job` | jobs and the reports of builds |
//! | `plan` | plans, their terms and features, and the choice of a plan |
//! | `subscription` | subscriptions, their periods, payments and timers |
//! | `entitlement` | the features that a tenant may use |
//! | `event` | messages on the event bus |
//! | `operator` | operators, their roles and sessions |
//! | `overview` | the statistics of the dashboard |
//! | `audit_log` | the entries of the audit log, and the check of their chains |
//! | `search` | the words by which tenants and leads are found |
//! | `entity`, `entities`, `edit`, `audit`, `ids` | what all entities have in common |
//! | `permission`, `quota` | what a caller may do, and how often |
//! | `refusal` | conflicts of plans, subscriptions and suspensions |
//! | `values` | email addresses, host names, amounts and other values |

mod audit;
mod audit_log;
mod child;
mod edit;
pub mod entities;
mod entitlement;
mod entity;
mod error;
mod event;
mod event_type;
mod ids;
mod job;
mod lead;
mod operator;
mod overview;
mod permission;
mod plan;
mod quota;
mod refusal;
mod search;
mod subscription;
mod tenant;
mod values;

pub use audit::Audit;
pub use audit_log::{
    AddressDetail, AuditAction, AuditChain, AuditEntry, AuditedKind, ChainCheck, ChainHead, Change,
    ItemChange, MAX_AGENT, SealedEntry, Trace, Via, canonical,
};
pub use child::{
    Child, ChildKind, ConfigDetails, Contact, ContactDetails, Details, Invoice, InvoiceDetails,
    InvoiceOrigin, InvoiceStatus, NewChild, NewContact, NewInvoice, NewTenantConfig, NoOrigin,
    SettledInvoice, TenantConfig,
};
pub use edit::Edit;
pub use entitlement::{
    Entitlement, Entitlements, FeatureSource, Grants, NewOverride, PlanFeatures,
};
pub use entity::{Editable, Entity};
pub use error::{Error, Result};
pub use event::{
    Event, EventEntitlements, EventJob, EventLead, EventSuspension, EventTenant, SubscriptionKey,
};
pub use event_type::EventType;
pub use ids::{
    AddressId, AuditNoteId, ContactId, EntityId, InvoiceId, JobId, LeadId, OperatorId, PlanId,
    ResendId, ResourceId, SessionId, SubscriptionId, TenantConfigId, TenantId, UserId,
};
pub use job::{
    BUILD_WINDOW, BuildMessage, BuildProgress, BuildReport, ClaimedTenant, IDENTITY_TIME_LIMIT,
    IdentityProvider, Isolation, Job, JobKind, JobPhase, JobRef, JobResult, JobState, JobView,
    MAX_BUILDS, MAX_STEP_LINK, MAX_STEP_NAME, MAX_STEP_SUMMARY, MAX_STEPS, MoveEnds, MoveRules,
    NewProvisioning, Outcome, Placement, Previous, ResourceChange, Step, StepReport, StepSource,
    StepState, SubscriptionText, Tiers, Viewer, Work, WorkStep,
};
pub use lead::{EMAILS_PER_DAY, Lead, LeadLink, LeadView, NewLead, NewResend, Resend, Stage};
pub use operator::{
    Admins, Grant, GrantedRole, Operator, OperatorChange, OperatorView, Profile, Roles, Session,
    SessionView,
};
pub use overview::{
    Attention, Day, Histogram, Leads, Overview, Reason, Revenue, SubscriptionFigures,
};
pub use permission::{Permission, Permit, permit};
pub use plan::{
    BillingCycle, Catalog, DurationUnit, FeatureKey, FeatureValue, Features, LeadPlans, Namer,
    NonPayment, Plan, PlanChoice, PlanDetails, PlanState, PlanTerms,
};
pub use quota::{Quota, RATE_WINDOW};
pub use refusal::Refusal;
pub use search::{HitKind, SearchHit, SearchText, Words};
pub use subscription::{
    Adjustment, AdjustmentKind, Cancellation, Context, Decision, InvoiceLine, LineKind,
    MAX_ADJUSTMENTS, Move, NewPlanChange, NewSubscription, PENDING_LIFE, PaymentOutcome,
    PaymentSignal, PendingChange, Period, PeriodInvoice, Phase, PlanChange, Proration, Quote,
    StandingChange, Subscription, SubscriptionDetails, TRIAL_NOTICE, Timer, TimerAction,
    TimerSubject, Trial, When,
};
pub use tenant::{
    EntityOwner, NewResource, NewSuspension, NewTenant, OnboardTenant, Onboarding, ReservedKeys,
    Resource, Retention, Standing, Suspension, SuspensionReason, Tenant, TenantDetails, TenantKey,
    TenantStatus, TenantView, Transition,
};
pub use values::{
    Address, AddressParts, AddressView, Amount, ConfigValue, Currency, Email, Hostname, JsonObject,
    Metadata, ParseAmountError, Text, Word,
};

// Tests need a time, and no shell hands them one. Everything else takes it as an argument.
#[cfg(test)]
use schema::clock::now;
