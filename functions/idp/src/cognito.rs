use aws_sdk_cognitoidentityprovider::{
    Client,
    config::retry::RetryConfig,
    error::{ProvideErrorMetadata, SdkError},
    primitives::DateTime,
    types::{
        AdminCreateUserConfigType, AttributeType, DeletionProtectionType, DeliveryMediumType,
        EmailConfigurationType, EmailSendingAccountType, ExplicitAuthFlowsType, MessageActionType,
        PreventUserExistenceErrorTypes, UserStatusType, UsernameAttributeType,
        VerifiedAttributeType,
    },
};
use domain::{Error, Result};
use lambda::{
    Env,
    aws::Aws,
    config::ConfigError,
    fault::{Fault, Service},
};

use crate::{
    client::{Failure, ensure},
    password,
    refusal::{DataSource, Refusal},
    setup::Setup,
    space::{MARK, Space},
};

/// User pools or clients per page, the maximum that Cognito allows.
const PAGE: i32 = 60;

/// Amazon Cognito. A space is a user pool. An admin is a member of the tenant's admin group.
#[derive(Clone, Debug)]
pub(crate) struct Cognito {
    client: Client,
    reads: Client,
    mails: Option<EmailConfigurationType>,
}

#[derive(Debug)]
struct User {
    id: String,
    /// Whether the user has yet to choose a password.
    is_pending: bool,
}

/// The set-up of one tenant in its user pool.
struct Session<'a> {
    client: &'a Client,
    reads: &'a Client,
    pool: String,
    setup: &'a Setup,
    email: String,
}

impl Cognito {
    /// Returns `None` unless `COGNITO_ENABLED` is true. New pools send invitations from
    /// `FROM_EMAIL` through the SES identity `SES_IDENTITY_ARN`. If that is not set, they come from
    /// Cognito's own address, which AWS limits to a few emails a day.
    ///
    /// Source: <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-email.html>
    pub(crate) fn from_env(env: &Env, aws: &Aws) -> Result<Option<Self>, ConfigError> {
        if !env.flag("COGNITO_ENABLED")? {
            return Ok(None);
        }
        let mails = match env.get("SES_IDENTITY_ARN") {
            Some(identity) => Some(through_ses(identity, env.required("FROM_EMAIL")?)),
            None => None,
        };
        let reading = aws.service("COGNITO_IDENTITY_PROVIDER");
        // Cognito would make twice what is sent twice.
        let writing = reading.to_builder().retry_config(RetryConfig::disabled()).build();
        Ok(Some(Self { client: Client::new(&writing), reads: Client::new(&reading), mails }))
    }

    /// Sets up the tenant and returns the ID (`sub`) of its admin. Idempotent.
    pub(crate) async fn set_up(&self, setup: &Setup, space: &Space) -> Result<String> {
        let pool = self.pool(space).await?;
        let email = setup.tenant.admin.email.folded();
        let session = Session { client: &self.client, reads: &self.reads, pool, setup, email };
        session.client().await?;
        session.group().await?;
        let user = session.user().await?;
        session.join().await?;
        if user.is_pending {
            session.mail().await?;
        }
        Ok(user.id)
    }

    async fn pool(&self, space: &Space) -> Result<String> {
        let (look, make) = ("cognito: finding the user pool", "cognito: creating the user pool");
        let only_admins =
            AdminCreateUserConfigType::builder().allow_admin_create_user_only(true).build();
        ensure(
            look,
            || async { self.find_pool(look, space).await },
            || async {
                let made = self.client.create_user_pool().pool_name(&space.name);
                let made = made
                    .username_attributes(UsernameAttributeType::Email)
                    .auto_verified_attributes(VerifiedAttributeType::Email)
                    .admin_create_user_config(only_admins)
                    .deletion_protection(DeletionProtectionType::Active)
                    .set_email_configuration(self.mails.clone())
                    .user_pool_tags(MARK, &space.mark);
                let made = made.send().await.map_err(failed(make))?;
                let id = made.user_pool.and_then(|pool| pool.id);
                // A call that was given up may have created another pool in the meantime.
                Ok(self.find_pool(look, space).await?.or(id))
            },
        )
        .await
    }

    /// Finds the pool with this name and our tag. If there are several, the oldest is used, so that
    /// every call finds the same.
    async fn find_pool(&self, step: &'static str, space: &Space) -> Result<Option<String>> {
        let pages = self.reads.list_user_pools().max_results(PAGE).into_paginator().items().send();
        let mut pools: Vec<_> = pages.try_collect().await.map_err(failed(step))?;
        pools.retain(|pool| pool.name() == Some(&space.name));
        pools.sort_by_key(|pool| pool.creation_date().map(DateTime::as_nanos));
        for id in pools.into_iter().filter_map(|pool| pool.id) {
            let found = self.reads.describe_user_pool().user_pool_id(&id).send().await;
            let tags = found.map_err(failed(step))?.user_pool.and_then(|pool| pool.user_pool_tags);
            if tags.is_some_and(|tags| tags.get(MARK) == Some(&space.mark)) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

impl Session<'_> {
    /// Returns the ID of the tenant's public client for browsers, which has no secret.
    async fn client(&self) -> Result<String> {
        let (look, make) = ("cognito: finding the client", "cognito: creating the client");
        let name = format!("client-{}", self.setup.tenant.key);
        ensure(
            look,
            || async {
                let listed = self.reads.list_user_pool_clients().user_pool_id(&self.pool);
                let pages = listed.max_results(PAGE).into_paginator().items().send();
                let clients: Vec<_> = pages.try_collect().await.map_err(failed(look))?;
                let named = clients.into_iter().filter(|found| found.client_name() == Some(&name));
                Ok(named.filter_map(|found| found.client_id).min())
            },
            || async {
                let made = self.client.create_user_pool_client().user_pool_id(&self.pool);
                let made = made
                    .client_name(&name)
                    .generate_secret(false)
                    .explicit_auth_flows(ExplicitAuthFlowsType::AllowUserSrpAuth)
                    .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth)
                    .prevent_user_existence_errors(PreventUserExistenceErrorTypes::Enabled);
                let made = made.send().await.map_err(failed(make))?;
                Ok(made.user_pool_client.and_then(|client| client.client_id))
            },
        )
        .await
    }

    async fn group(&self) -> Result<()> {
        let (look, make) = ("cognito: finding the group", "cognito: creating the group");
        ensure(
            look,
            || async {
                let found = self.reads.get_group().user_pool_id(&self.pool);
                match found.group_name(self.admins()).send().await {
                    Ok(_) => Ok(Some(())),
                    Err(error) if is(&error, "ResourceNotFoundException") => Ok(None),
                    Err(error) => Err(failed(look)(error)),
                }
            },
            || async {
                let made = self.client.create_group().user_pool_id(&self.pool);
                match made.group_name(self.admins()).send().await {
                    Ok(_) => Ok(Some(())),
                    Err(error) if is(&error, "GroupExistsException") => Ok(None),
                    Err(error) => Err(failed(make)(error)),
                }
            },
        )
        .await
    }

    /// Finds or creates the admin without sending an email. The invitation is the last step, so
    /// that the set-up is complete when the email arrives.
    async fn user(&self) -> Result<User> {
        let (look, make) = ("cognito: finding the user", "cognito: creating the user");
        let password = password::temporary()?;
        ensure(
            look,
            || async { self.find_user(look).await },
            || async {
                let admin = &self.setup.tenant.admin;
                let attributes = [
                    attribute("email", &self.email)?,
                    attribute("email_verified", "true")?,
                    attribute("given_name", admin.first_name.as_str())?,
                    attribute("family_name", admin.last_name.as_str())?,
                ];
                let made = self.client.admin_create_user().user_pool_id(&self.pool);
                let made = made
                    .username(&self.email)
                    .set_user_attributes(Some(attributes.to_vec()))
                    .temporary_password(password)
                    .message_action(MessageActionType::Suppress);
                match made.send().await {
                    Ok(_) => Ok(None),
                    Err(error) if is(&error, "UsernameExistsException") => Ok(None),
                    Err(error) => Err(self.user_error(make, error)),
                }
            },
        )
        .await
    }

    async fn find_user(&self, step: &'static str) -> Result<Option<User>> {
        let found = self.reads.admin_get_user().user_pool_id(&self.pool);
        let found = match found.username(&self.email).send().await {
            Ok(found) => found,
            Err(error) if is(&error, "UserNotFoundException") => return Ok(None),
            Err(error) => return Err(self.user_error(step, error)),
        };
        let sub = found.user_attributes().iter().find(|attribute| attribute.name() == "sub");
        let id = sub.and_then(AttributeType::value).ok_or_else(|| Failure::Unreadable.at(step))?;
        let is_pending = found.user_status() == Some(&UserStatusType::ForceChangePassword);
        Ok(Some(User { id: id.to_owned(), is_pending }))
    }

    /// Converts an error of a call with the admin's data, which Cognito may have refused.
    fn user_error<E: ProvideErrorMetadata>(&self, step: &'static str, error: SdkError<E>) -> Error {
        let refused = error.as_service_error().filter(|error| error.code() == Some(INVALID));
        let refused = refused.and_then(|error| {
            let refusal = Refusal::of_cognito(INVALID, error.message().unwrap_or_default());
            DataSource::of_user(self.setup).error(step, &[refusal])
        });
        refused.unwrap_or_else(|| failed(step)(error))
    }

    /// Adds the admin to the group. Cognito accepts an existing member.
    async fn join(&self) -> Result<()> {
        let joined = self.client.admin_add_user_to_group().user_pool_id(&self.pool);
        let joined = joined.username(&self.email).group_name(self.admins()).send().await;
        joined.map(drop).map_err(failed("cognito: adding the member"))
    }

    /// Has Cognito email the invitation, with a new temporary password.
    async fn mail(&self) -> Result<()> {
        let sent = self.client.admin_create_user().user_pool_id(&self.pool);
        let sent = sent
            .username(&self.email)
            .temporary_password(password::temporary()?)
            .message_action(MessageActionType::Resend)
            .desired_delivery_mediums(DeliveryMediumType::Email);
        sent.send().await.map(drop).map_err(failed("cognito: sending the email"))
    }

    /// Returns the name of the admin group. Each tenant has its own, even in a shared pool.
    fn admins(&self) -> String {
        format!("admins-{}", self.setup.tenant.key)
    }
}

/// The error of Cognito for values that it refuses.
const INVALID: &str = "InvalidParameterException";

fn through_ses(identity: &str, from: &str) -> EmailConfigurationType {
    EmailConfigurationType::builder()
        .email_sending_account(EmailSendingAccountType::Developer)
        .source_arn(identity)
        .from(from)
        .build()
}

fn attribute(name: &str, value: &str) -> Result<AttributeType> {
    let built = AttributeType::builder().name(name).value(value).build();
    built.map_err(Error::internal("building a user attribute"))
}

fn is<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, code: &str) -> bool {
    matches!(error, SdkError::ServiceError(error) if error.err().code() == Some(code))
}

/// Keeps only the code of an error, because the SDK's error contains the whole response. Throttling
/// becomes [`Error::Busy`], so that the caller retries.
fn failed<E: ProvideErrorMetadata>(step: &'static str) -> impl FnOnce(SdkError<E>) -> Error {
    move |error| {
        let failure = match &error {
            SdkError::ServiceError(error) => match error.err().code().unwrap_or("unknown") {
                "TooManyRequestsException" | "ThrottlingException" => return Error::Busy(step),
                code if Service::Cognito.fault(code) == Fault::Permanent => {
                    Failure::Refused(code.to_owned())
                }
                code => Failure::Code(code.to_owned()),
            },
            SdkError::TimeoutError(_) => Failure::Late,
            SdkError::ResponseError(_) => Failure::Unreadable,
            _ => Failure::Unreachable,
        };
        failure.at(step)
    }
}
