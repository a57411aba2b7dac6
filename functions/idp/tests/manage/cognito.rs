use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    fake::{Answer, Call, Fake, is_strong},
    idp::{Idp, body},
    recovery::recovers_after_every_failure,
};

const IDENTITY: &str = "arn:aws:ses:eu-central-1:111122223333:identity/tenantry.test";

/// Fake Cognito user pools, with the calls of their JSON protocol that are in use.
#[derive(Default)]
struct Cognito {
    pools: Vec<Pool>,
    /// Actions whose next call is throttled.
    throttled: BTreeSet<&'static str>,
}

#[derive(Default)]
struct Pool {
    id: String,
    name: String,
    tags: Value,
    sender: Value,
    clients: Vec<String>,
    groups: BTreeSet<String>,
    users: BTreeMap<String, Value>,
    members: BTreeSet<(String, String)>,
    mails: usize,
}

impl Cognito {
    fn answer(&mut self, call: &Call) -> Answer {
        assert_eq!(call.line(), ["POST", ""]);
        assert_eq!(call.header("content-type"), "application/x-amz-json-1.1");
        assert!(call.header("authorization").starts_with("AWS4-HMAC-SHA256 "));
        let target = call.header("x-amz-target");
        let action = target.strip_prefix("AWSCognitoIdentityProviderService.").unwrap();
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        if self.throttled.remove(action) {
            return refused("TooManyRequestsException");
        }
        match action {
            "ListUserPools" => self.list(&body),
            "CreateUserPool" => self.create(&body),
            _ => {
                let id = body["UserPoolId"].as_str().unwrap();
                let pool = self.pools.iter_mut().find(|pool| pool.id == id).unwrap();
                pool.answer(action, &body)
            }
        }
    }

    /// Lists pools in pages of two, so that there are several pages.
    fn list(&self, body: &Value) -> Answer {
        assert!(body["MaxResults"].as_u64().is_some_and(|most| most <= 60));
        let start: usize = body["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let page: Vec<_> = self.pools.iter().enumerate().skip(start).take(2).collect();
        let next = (start + 2 < self.pools.len()).then(|| (start + 2).to_string());
        let page = page.into_iter().map(|(at, pool)| {
            json!({ "Id": pool.id, "Name": pool.name, "CreationDate": 1_700_000_000 + at })
        });
        (200, json!({ "UserPools": page.collect::<Vec<_>>(), "NextToken": next }))
    }

    /// Creates a pool. Names are not unique.
    fn create(&mut self, body: &Value) -> Answer {
        assert_eq!(body["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], true);
        assert_eq!(body["UsernameAttributes"], json!(["email"]));
        let id = format!("eu-central-1_{}", self.pools.len());
        let name = body["PoolName"].as_str().unwrap().to_owned();
        let tags = body["UserPoolTags"].clone();
        let sender = body["EmailConfiguration"].clone();
        self.pools.push(Pool { id: id.clone(), name, tags, sender, ..Pool::default() });
        (200, json!({ "UserPool": { "Id": id } }))
    }
}

impl Pool {
    fn answer(&mut self, action: &str, body: &Value) -> Answer {
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        match action {
            "DescribeUserPool" => (200, json!({ "UserPool": { "UserPoolTags": self.tags } })),
            "ListUserPoolClients" => {
                let clients = self.clients.iter().enumerate();
                let clients = clients
                    .map(|(at, name)| json!({ "ClientId": format!("c{at}"), "ClientName": name }));
                (200, json!({ "UserPoolClients": clients.collect::<Vec<_>>() }))
            }
            "CreateUserPoolClient" => {
                assert_eq!(body["GenerateSecret"], false);
                self.clients.push(text("ClientName"));
                let id = format!("c{}", self.clients.len() - 1);
                (200, json!({ "UserPoolClient": { "ClientId": id } }))
            }
            "GetGroup" if self.groups.contains(&text("GroupName")) => (200, json!({ "Group": {} })),
            "GetGroup" => refused("ResourceNotFoundException"),
            "CreateGroup" if self.groups.insert(text("GroupName")) => (200, json!({ "Group": {} })),
            "CreateGroup" => refused("GroupExistsException"),
            // Cognito does not document which addresses it refuses.
            "AdminCreateUser" if text("Username").starts_with("refused") => {
                let message = "Invalid email address format.";
                (400, json!({ "__type": "InvalidParameterException", "message": message }))
            }
            "AdminGetUser" => match self.users.get(&text("Username")) {
                Some(user) => (200, user.clone()),
                None => refused("UserNotFoundException"),
            },
            "AdminCreateUser" => self.create_user(&text("Username"), body),
            "AdminAddUserToGroup" => {
                let (user, group) = (text("Username"), text("GroupName"));
                assert!(self.users.contains_key(&user) && self.groups.contains(&group));
                self.members.insert((user, group));
                (200, json!({}))
            }
            _ => panic!("{action}"),
        }
    }

    fn create_user(&mut self, name: &str, body: &Value) -> Answer {
        assert!(is_strong(&body["TemporaryPassword"]));
        if body["MessageAction"] == "RESEND" {
            assert_eq!(body["DesiredDeliveryMediums"], json!(["EMAIL"]));
            assert_eq!(self.users[name]["UserStatus"], "FORCE_CHANGE_PASSWORD");
            self.mails += 1;
            return (200, json!({ "User": { "Username": name } }));
        }
        assert_eq!(body["MessageAction"], "SUPPRESS");
        if self.users.contains_key(name) {
            return refused("UsernameExistsException");
        }
        let mut attributes = body["UserAttributes"].clone();
        let sub = format!("sub-{}", self.users.len());
        attributes.as_array_mut().unwrap().push(json!({ "Name": "sub", "Value": sub }));
        let user = json!({
            "Username": sub,
            "UserAttributes": attributes,
            "UserStatus": "FORCE_CHANGE_PASSWORD",
        });
        self.users.insert(name.to_owned(), user);
        (200, json!({ "User": { "Username": sub } }))
    }
}

fn refused(kind: &str) -> Answer {
    (400, json!({ "__type": kind, "message": "no" }))
}

async fn start() -> (Fake<Cognito>, Idp) {
    start_with(("SES_IDENTITY_ARN", IDENTITY)).await
}

async fn start_with(variable: (&str, &str)) -> (Fake<Cognito>, Idp) {
    let fake = Fake::start(Cognito::default(), Cognito::answer).await;
    let endpoint = ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", fake.url.as_str());
    let idp = Idp::start(&[endpoint, ("COGNITO_ENABLED", "true"), variable]).await;
    (fake, idp)
}

fn snapshot(cognito: &Cognito) -> Value {
    let pools = cognito.pools.iter().map(|pool| {
        let Pool { id, name, tags, clients, groups, users, members, mails, .. } = pool;
        json!([id, name, tags, clients, groups, users, members, *mails > 0])
    });
    pools.collect()
}

#[tokio::test]
async fn a_premium_tenant_gets_its_own_pool() {
    let (fake, idp) = start().await;
    let answer = idp.manage(&body("cognito", "acme", "PREMIUM", "Ada@acme.test")).await;
    assert_eq!(answer.body, json!({ "authId": "sub-0" }), "{}", idp.log());
    fake.state(|cognito| {
        let [pool] = cognito.pools.as_slice() else { panic!() };
        assert_eq!((pool.name.as_str(), pool.mails), ("acme", 1));
        assert_eq!(pool.clients, ["client-acme"]);
        assert!(pool.members.contains(&("ada@acme.test".into(), "admins-acme".into())));
    });
}

#[tokio::test]
async fn other_tiers_share_a_pool_that_is_found_on_any_page() {
    let (fake, idp) = start().await;
    let others =
        ["x", "tier-standard", "y"].map(|name| Pool { name: name.into(), ..Pool::default() });
    fake.state(|cognito| {
        for (at, pool) in others.into_iter().enumerate() {
            cognito.pools.push(Pool { id: format!("other-{at}"), tags: json!({}), ..pool });
        }
    });
    for email in ["ada@acme.test", "bob@acme.test"] {
        assert_eq!(idp.manage(&body("cognito", "acme", "Standard", email)).await.status, 200);
    }
    fake.state(|cognito| {
        assert_eq!(cognito.pools.len(), 4);
        assert!(cognito.pools[1].users.is_empty(), "not ours");
        assert_eq!(cognito.pools[3].users.len(), 2);
    });
}

#[tokio::test]
async fn a_failure_at_any_step_leaves_no_duplicates() {
    recovers_after_every_failure("cognito", start, snapshot).await;
}

#[tokio::test]
async fn resources_created_concurrently_are_looked_up() {
    let (fake, idp) = start().await;
    fake.race(|call| {
        let target = call.header("x-amz-target");
        target.ends_with(".CreateGroup") || target.ends_with(".AdminCreateUser")
    });
    let answer = idp.manage(&body("cognito", "acme", "PREMIUM", "ada@acme.test")).await;
    assert_eq!(answer.body, json!({ "authId": "sub-0" }), "{}", idp.log());
}

#[tokio::test]
async fn concurrent_requests_create_one_pool_and_one_user() {
    let (fake, idp) = start().await;
    let body = body("cognito", "acme", "Standard", "ada@acme.test");
    let (first, second) = tokio::join!(idp.manage(&body), idp.manage(&body));
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    fake.state(|cognito| {
        let [pool] = cognito.pools.as_slice() else { panic!() };
        assert_eq!((pool.users.len(), pool.clients.len()), (1, 1));
    });
}

#[tokio::test]
async fn of_pools_created_at_once_the_oldest_is_used() {
    let (fake, idp) = start().await;
    fake.race(|call| call.header("x-amz-target").ends_with(".CreateUserPool"));
    for email in ["ada@acme.test", "bob@acme.test"] {
        assert_eq!(idp.manage(&body("cognito", "acme", "Standard", email)).await.status, 200);
    }
    fake.state(|cognito| {
        let [oldest, other] = cognito.pools.as_slice() else { panic!() };
        assert_eq!((oldest.users.len(), other.users.len()), (2, 0));
    });
}

#[tokio::test]
async fn no_email_is_sent_after_the_password_was_chosen() {
    let (fake, idp) = start().await;
    let body = body("cognito", "acme", "PREMIUM", "ada@acme.test");
    idp.manage(&body).await;
    fake.state(|cognito| {
        let user = cognito.pools[0].users.get_mut("ada@acme.test").unwrap();
        user["UserStatus"] = "CONFIRMED".into();
    });
    assert_eq!(idp.manage(&body).await.status, 200);
    fake.state(|cognito| assert_eq!(cognito.pools[0].mails, 1));
}

#[tokio::test]
async fn invitations_are_sent_through_our_ses_identity() {
    let ours = json!({
        "EmailSendingAccount": "DEVELOPER",
        "SourceArn": IDENTITY,
        "From": "noreply@tenantry.test",
    });
    for (identity, sender) in [(IDENTITY, ours), ("", Value::Null)] {
        let (fake, idp) = start_with(("SES_IDENTITY_ARN", identity)).await;
        idp.manage(&body("cognito", "acme", "PREMIUM", "ada@acme.test")).await;
        fake.state(|cognito| assert_eq!(cognito.pools[0].sender, sender));
    }
}

#[tokio::test]
async fn throttled_reads_are_retried() {
    let (fake, idp) = start().await;
    let reads =
        ["ListUserPools", "DescribeUserPool", "ListUserPoolClients", "GetGroup", "AdminGetUser"];
    fake.state(|cognito| cognito.throttled = reads.into());
    let body = body("cognito", "acme", "PREMIUM", "ada@acme.test");
    for _ in 0..2 {
        assert_eq!(idp.manage(&body).await.status, 200, "{}", idp.log());
    }
    fake.state(|cognito| assert_eq!(cognito.throttled, BTreeSet::new()));
}

#[tokio::test]
async fn throttled_writes_are_left_to_the_caller() {
    let (fake, idp) = start().await;
    let body = body("cognito", "acme", "PREMIUM", "ada@acme.test");
    fake.state(|cognito| cognito.throttled = ["CreateUserPool"].into());
    assert_eq!(idp.manage(&body).await.status, 503);
    fake.state(|cognito| assert!(cognito.pools.is_empty() && cognito.throttled.is_empty()));
    assert_eq!(idp.manage(&body).await.status, 200, "{}", idp.log());
}

#[tokio::test]
async fn an_address_that_cognito_refuses_is_named_without_its_value() {
    let (_fake, idp) = start().await;
    let email = "refused@acme.test";
    let answer = idp.manage(&body("cognito", "acme", "PREMIUM", email)).await;
    assert_eq!(answer.status, 422, "{:?}", answer.body);
    let detail = &answer.body["error"]["details"][0];
    assert_eq!(
        (&detail["path"], &detail["code"]),
        (&json!("/tenant/contacts/1/email"), &json!("refused"))
    );
    assert_eq!(detail["info"]["reason"], "InvalidParameterException");
    assert!(!(answer.body.to_string() + &idp.log()).contains(email));
}
