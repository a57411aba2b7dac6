use serde_json::{Map, Value};

use super::{Plan, PlanDetails, PlanState};
use crate::{Audit, Editable, Entity, Result, UserId, entities, entity::wire_of, permit};
use filter::Schema;
use schema::Timestamp;

impl Entity for Plan {
    const SCHEMA: &'static Schema = &entities::PLAN;
    type View = permit::ViewPlan;

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn wire(&self) -> Result<Map<String, Value>> {
        let mut members = wire_of(self)?;
        members.remove("subscribed");
        Ok(members)
    }
}

impl Editable for Plan {
    type Details = PlanDetails;
    type Update = permit::UpdatePlan;

    const READ_ONLY: &'static [&'static str] = &[
        "id",
        "state",
        "revision",
        "createdOn",
        "modifiedOn",
        "createdBy",
        "modifiedBy",
        "deleted",
        "deletedOn",
        "deletedBy",
    ];

    fn details(&self) -> PlanDetails {
        self.details.clone()
    }

    /// Other terms of a plan that was active once are a new revision.
    fn edited(self, details: PlanDetails, now: Timestamp, by: &UserId) -> Self {
        let details = details.completed();
        let changes = self.state != PlanState::Draft && !self.details.has_terms_of(&details);
        let revision = self.revision + u32::from(changes);
        Self { details, revision, audit: self.audit.changed(now, by), ..self }
    }

    fn audited(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }
}
