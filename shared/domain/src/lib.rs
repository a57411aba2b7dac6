//! The rules and values of the control plane, without I/O.

mod address;
mod amount;
mod audit;
mod child;
mod contact;
mod currency;
mod edit;
mod email;
pub mod entities;
mod entity;
mod error;
mod event;
mod histogram;
mod hostname;
mod ids;
mod invoice;
mod job;
mod job_view;
mod json_object;
mod key;
mod lead;
mod lead_view;
mod outcome;
mod overview;
mod permission;
mod quota;
mod resend;
mod reserved;
mod resource;
mod status;
mod subscription;
mod tenant;
mod tenant_config;
mod text;
mod webhook;

pub use address::{Address, AddressParts, AddressView};
pub use amount::{Amount, ParseAmountError};
pub use audit::Audit;
pub use child::{Child, ChildKind, Details, NewChild};
pub use contact::{Contact, ContactDetails, NewContact};
pub use currency::Currency;
pub use edit::Edit;
pub use email::Email;
pub use entity::{Editable, Entity};
pub use error::{Error, Result};
pub use event::{Event, EventJob, EventLead, EventTenant, EventType};
pub use histogram::Histogram;
pub use hostname::Hostname;
pub use ids::{
    AddressId, ContactId, EntityId, InvoiceId, JobId, LeadId, ResendId, ResourceId, TenantConfigId,
    TenantId, UserId,
};
pub use invoice::{Invoice, InvoiceDetails, InvoiceStatus, NewInvoice};
pub use job::{
    BUILD_WINDOW, Isolation, Job, JobKind, JobRef, JobState, MAX_BUILDS, ResourceChange, Step, Work,
};
pub use job_view::JobView;
pub use json_object::{ConfigValue, JsonObject, Metadata};
pub use key::TenantKey;
pub use lead::{EMAILS_PER_DAY, Lead, NewLead};
pub use lead_view::LeadView;
pub use outcome::{JobResult, Outcome};
pub use overview::{Attention, Day, Leads, Overview, Reason};
pub use permission::{Permission, Permit, permit};
pub use quota::{Quota, RATE_WINDOW};
pub use resend::{NewResend, Resend};
pub use reserved::ReservedKeys;
pub use resource::{NewResource, Resource};
pub use status::{TenantStatus, Transition};
pub use subscription::Subscription;
pub use tenant::{NewTenant, OnboardTenant, Onboarding, Tenant, TenantDetails, TenantView};
pub use tenant_config::{ConfigDetails, NewTenantConfig, TenantConfig};
pub use text::Text;
pub use webhook::{BuildReport, ClaimedTenant};

/// Returns the time for tests; everything else takes it as an argument.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests need a time, and no shell hands them one")]
fn now() -> schema::Timestamp {
    schema::Timestamp::from(jiff::Timestamp::now())
}
