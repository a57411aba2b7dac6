//! The DynamoDB table, which holds all entities, and its cache.
//!
//! | module | contents |
//! |---|---|
//! | `store` | the [`Store`]: client, table, cache; warming up |
//! | `table` | keys, index keys, items, reads, updates, transactions, retries on a write conflict |
//! | `lists` | pages, cursors, filters, inclusions, limits of what a request reads |
//! | `leads`, `tenants`, `children`, `jobs` | reads and writes of one noun |
//! | `subscriptions` | subscriptions, their timers, and signals of billing systems |
//! | `entitlements` | the features that tenants may use |
//! | `operators` | operators and their sessions |
//! | `plans` | plans, and the catalog of those on offer |
//! | `counters`, `overview` | numbers maintained from the stream, and the dashboard |
//! | `search` | the words of tenants and leads, and what they find |
//! | `rates` | rate limits and the daily limit of emails |
//! | `audit` | chains of the audit log: appended from the stream, listed, and verified |
//! | `idempotency` | claims of consumers on events |
//! | `requests` | idempotency keys of API requests, and their recorded answers |
//! | `cache` | Redis |

mod audit;
mod cache;
mod children;
mod counters;
mod entitlements;
mod idempotency;
mod jobs;
mod leads;
mod lists;
mod operators;
mod overview;
mod plans;
mod rates;
mod requests;
mod search;
mod store;
mod subscriptions;
mod table;
mod tenants;

pub use audit::{AuditLog, AuditRange, AuditSource, Verification};
pub use cache::replace_cache_server;
pub use children::quota::CHILDREN_OF_A_LEAD;
pub use counters::{
    CANCELLED, CounterChange, ONBOARDED, TOTAL, day_counter, month_kind, phase_counter,
    revenue_counter, status_counter,
};
pub use entitlements::TenantGrants;
pub use idempotency::Claim;
pub use jobs::{
    by_plan::PlannedJob,
    close::JobCompletion,
    overdue::{Next, Overdue, OverdueJob, OverdueJobs},
    pages::Paging,
    prepare::TenantToBuild,
    progress::StepScope,
};
pub use lists::{
    by_id::ById,
    cursor::Cursor,
    found::Found,
    inclusions::{Allowance, IncludeFn, Inclusions, Related},
    list::{ListRequest, Page},
    listed::{Listed, Writable},
};
pub use operators::{Refreshed, session::OperatorSessions};
pub use requests::{KeyedRequest, Lease, RecordedAnswer, RecordedBody, RequestClaim};
pub use search::{
    change::{SearchChange, SearchSource},
    find::SearchRequest,
    rebuild::SearchPosition,
};
pub use store::Store;
pub use subscriptions::{
    payments::Signalled,
    read::{Subscribed, Subscriber},
    timers::{DueTimer, DueTimers, NextTimers, TimerItem},
};
pub use table::{
    index::{Index, IndexKey, Partition},
    item::{Item, Stored},
    key::Key,
    retry::retry_if_stale,
};
pub use tenants::read::KeyState;
