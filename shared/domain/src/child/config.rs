use serde::{Deserialize, Serialize};

use crate::entities;
use crate::{
    Child, ChildKind, ConfigValue, Details, NewChild, NoOrigin, TenantConfigId, Text, permit,
};
use filter::Schema;
use schema::body;

/// A configuration of a tenant.
pub type TenantConfig = Child<ConfigDetails>;

/// The body of `POST /tenant-configs`.
pub type NewTenantConfig = NewChild<ConfigDetails>;

body! {
    /// The properties of a configuration.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct ConfigDetails {
        /// The key of the configuration, unique within the tenant.
        pub config_key: Text<1, 100>,
        /// The value of the configuration.
        pub config_value: ConfigValue,
    }
}

impl Details for ConfigDetails {
    type Id = TenantConfigId;
    type Origin = NoOrigin;
    const KIND: ChildKind = ChildKind::Config;
    const SCHEMA: &'static Schema = &entities::TENANT_CONFIG;
    type Create = permit::CreateTenantConfig;
    type View = permit::ViewTenantConfig;
    type Update = permit::UpdateTenantConfig;
    type Delete = permit::DeleteTenantConfig;

    fn unique(&self) -> Option<&str> {
        Some(self.config_key.as_str())
    }
}
