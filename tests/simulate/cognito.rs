//! The user pools of Amazon Cognito, as far as functions use them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use local::Answered;
use serde_json::{Value, json};

use crate::{connector::refusal, locked, virtual_time};

/// The name of the service in calls.
pub(crate) const SERVICE: &str = "Cognito";

/// The prefix of the action in the header `X-Amz-Target`.
pub(crate) const TARGET: &str = "AWSCognitoIdentityProviderService.";

/// The tag of a pool that names its owner.
const MARK: &str = "tenantry";

#[derive(Debug, Default)]
pub(crate) struct Cognito(Mutex<Vec<Pool>>);

/// A user pool. Names are not unique.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    id: String,
    name: String,
    /// The owner: a tenant or a tier.
    pub(crate) mark: String,
    /// When it was created, in seconds since the beginning.
    created: f64,
    pub(crate) clients: Vec<String>,
    groups: BTreeSet<String>,
    users: BTreeMap<String, User>,
    /// The members of groups: group and user.
    pub(crate) members: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug)]
struct User {
    attributes: Value,
    invitations: u32,
}

impl Cognito {
    /// Answers a call.
    pub(crate) fn answer(&self, action: &str, body: &Value) -> Answered {
        let mut pools = locked(&self.0);
        let id = text(body, "UserPoolId");
        let answer = match action {
            "CreateUserPool" => Ok(create(&mut pools, body)),
            "ListUserPools" => Ok(page(body, "UserPools", pools.iter().map(Pool::summary))),
            _ => match pools.iter_mut().find(|pool| pool.id == id) {
                Some(pool) => pool.answer(action, body),
                None => Err("ResourceNotFoundException"),
            },
        };
        match answer {
            Ok(answer) => Answered { status: 200, body: answer.to_string() },
            Err(code) => refusal(400, code),
        }
    }

    /// Returns the pools of an owner, oldest first.
    pub(crate) fn pools_of(&self, mark: &str) -> Vec<Pool> {
        self.all().into_iter().filter(|pool| pool.mark == mark).collect()
    }

    pub(crate) fn all(&self) -> Vec<Pool> {
        locked(&self.0).clone()
    }
}

fn create(pools: &mut Vec<Pool>, body: &Value) -> Value {
    let id = format!("eu-west-1_{}", pools.len());
    let (name, mark) = (text(body, "PoolName"), text(&body["UserPoolTags"], MARK));
    let created = Duration::from_millis(virtual_time::elapsed_ms()).as_secs_f64();
    pools.push(Pool { id: id.clone(), name, mark, created, ..Pool::default() });
    json!({ "UserPool": { "Id": id } })
}

/// Returns a page of a list.
fn page(body: &Value, name: &str, all: impl Iterator<Item = Value>) -> Value {
    let start: usize = text(body, "NextToken").parse().unwrap_or(0);
    let most = body["MaxResults"].as_u64().and_then(|most| usize::try_from(most).ok());
    let mut rest = all.skip(start).peekable();
    let some: Vec<_> = rest.by_ref().take(most.unwrap_or(60)).collect();
    let mut page = json!({});
    if rest.peek().is_some() {
        page["NextToken"] = (start + some.len()).to_string().into();
    }
    page[name] = some.into();
    page
}

impl Pool {
    fn summary(&self) -> Value {
        json!({ "Id": self.id, "Name": self.name, "CreationDate": self.created })
    }

    fn answer(&mut self, action: &str, body: &Value) -> Result<Value, &'static str> {
        let (name, group) = (text(body, "Username"), text(body, "GroupName"));
        match action {
            "DescribeUserPool" => {
                Ok(json!({ "UserPool": { "UserPoolTags": { MARK: self.mark } } }))
            }
            "ListUserPoolClients" => {
                let clients = self.clients.iter().enumerate();
                let clients = clients
                    .map(|(at, name)| json!({ "ClientId": format!("c{at}"), "ClientName": name }));
                Ok(page(body, "UserPoolClients", clients))
            }
            "CreateUserPoolClient" => {
                self.clients.push(text(body, "ClientName"));
                Ok(
                    json!({ "UserPoolClient": { "ClientId": format!("c{}", self.clients.len() - 1) } }),
                )
            }
            "GetGroup" if self.groups.contains(&group) => Ok(json!({ "Group": {} })),
            "GetGroup" => Err("ResourceNotFoundException"),
            "CreateGroup" if self.groups.insert(group.clone()) => Ok(json!({ "Group": {} })),
            "CreateGroup" => Err("GroupExistsException"),
            "AdminGetUser" => match self.users.get(&name) {
                Some(user) => Ok(user.view()),
                None => Err("UserNotFoundException"),
            },
            "AdminCreateUser" => self.create_user(name, body),
            "AdminAddUserToGroup" if !self.groups.contains(&group) => {
                Err("ResourceNotFoundException")
            }
            "AdminAddUserToGroup" if !self.users.contains_key(&name) => {
                Err("UserNotFoundException")
            }
            "AdminAddUserToGroup" => {
                self.members.insert((group, name));
                Ok(json!({}))
            }
            _ => Err("UnknownOperationException"),
        }
    }

    /// Creates a user, or sends the invitation again.
    fn create_user(&mut self, name: String, body: &Value) -> Result<Value, &'static str> {
        let known = self.users.get_mut(&name);
        if body["MessageAction"] == "RESEND" {
            known.ok_or("UserNotFoundException")?.invitations += 1;
            return Ok(json!({ "User": {} }));
        }
        if known.is_some() {
            return Err("UsernameExistsException");
        }
        let mut attributes = body["UserAttributes"].clone();
        if let Some(all) = attributes.as_array_mut() {
            all.push(
                json!({ "Name": "sub", "Value": format!("{}-{}", self.id, self.users.len()) }),
            );
        }
        self.users.insert(name, User { attributes, invitations: 0 });
        Ok(json!({ "User": {} }))
    }

    /// Returns whether a user is invited, and a member of a group.
    pub(crate) fn has(&self, group: &str, name: &str) -> bool {
        let is_invited = self.users.get(name).is_some_and(|user| user.invitations > 0);
        is_invited && self.members.contains(&(group.to_owned(), name.to_owned()))
    }
}

impl User {
    fn view(&self) -> Value {
        json!({ "UserAttributes": self.attributes, "UserStatus": "FORCE_CHANGE_PASSWORD" })
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
