//! `/operators`: people that have signed in, and their sessions.

use axum::{
    extract::{FromRef, FromRequestParts, State},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use domain::{
    Entity, Error, GrantedRole, Operator as Person, OperatorChange, OperatorId, Permission, Permit,
    Result, SessionId, permit,
};
use lambda::token::{Bearer, Tokens};
use serde::Serialize;
use store::{Listed, OperatorSessions, Stored, retry_if_stale};
use web::{
    Access, Argument, Caller, EntityTag, Failure, IfMatch, Json, KeyBearer, Once, Operator,
    PathIds, Reply, Scope,
};

use crate::Operators;

/// Maximum number of sessions in an answer.
const MOST_LISTED: usize = 100;

/// Any operator.
pub(crate) struct AnyOperator(Bearer);

impl<S: Send + Sync> FromRequestParts<S> for AnyOperator
where
    Tokens: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let KeyBearer(token) = KeyBearer::from_request_parts(parts, state).await?;
        let bearer = Tokens::from_ref(state).bearer(&token)?;
        bearer.must_be_operator()?;
        Ok(Self(bearer))
    }
}

impl Argument for AnyOperator {
    const ACCESS: Option<Access> = Some(Access::of(Caller::Operator(&[])));
}

/// An operator whose token grants the permission `P`, or whose own ID is in the path.
pub(crate) struct SelfOr<P> {
    bearer: Bearer,
    permit: std::marker::PhantomData<P>,
}

impl<P: Permit, S: Send + Sync> FromRequestParts<S> for SelfOr<P>
where
    Tokens: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let AnyOperator(bearer) = AnyOperator::from_request_parts(parts, state).await?;
        let Ok(path) = PathIds::from_request_parts(parts, state).await;
        if path.text("id") != bearer.id.to_string() {
            bearer.must_have_one(Permission::granting::<P>())?;
        }
        Ok(Self { bearer, permit: std::marker::PhantomData })
    }
}

impl<P: Permit> Argument for SelfOr<P> {
    const ACCESS: Option<Access> = Some(Access::of(Caller::Operator(P::CODES)));
}

/// The answer to `GET /operators/me`.
#[derive(Debug, Serialize)]
struct Me {
    id: String,
    name: Option<String>,
    email: Option<String>,
    roles: Vec<String>,
    reasons: Vec<GrantedRole>,
    permissions: Vec<String>,
}

/// `GET /operators/me`: describes the caller. Only an operator that signed in is in the table; the
/// token describes others.
pub(crate) async fn me(
    State(operators): State<Operators>,
    AnyOperator(bearer): AnyOperator,
) -> web::Result<Response> {
    let (mut email, mut reasons) = (None, Vec::new());
    if bearer.session().is_some()
        && let Ok(id) = bearer.id.to_string().parse::<OperatorId>()
    {
        let (stored, _) = Person::one(&operators.store, id).await?;
        email = stored.item.profile.email;
        reasons = stored.item.profile.reasons;
        reasons.retain(|reason| bearer.roles.contains(&reason.role));
    }
    let permissions = bearer.permissions().to_vec();
    let Bearer { id, name, roles, .. } = bearer;
    Ok(Json(Me { id: id.to_string(), name, email, roles, reasons, permissions }).into_response())
}

/// `PATCH /operators/{id}`: disables an operator, which ends its sessions, or enables it.
pub(crate) async fn change(
    State(operators): State<Operators>,
    Operator { bearer, .. }: Operator<permit::UpdateOperator>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    Json(change): Json<OperatorChange>,
) -> web::Result<Response> {
    let (id, change): (OperatorId, _) = (path.id()?, &change);
    let (operators, bearer, expected) = (&operators, &bearer, &expected);
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let changed = retry_if_stale(|| async {
            let now = lambda::now();
            let OperatorSessions { operator, sessions } = operators.store.sessions_of(id).await?;
            expected.check(operator.version)?;
            if operator.item.disabled == change.disabled {
                return Ok(Reply::no_content().tagged(EntityTag(operator.version)));
            }
            let reply = Reply::no_content().tagged(EntityTag(operator.version + 1));
            let store = attempt.recording(&reply);
            if change.disabled {
                let keeper = keeper(operators, &operator).await?;
                let sessions: Vec<_> = sessions.iter().map(|session| session.id).collect();
                let by = &bearer.id;
                store.disable_operator(&operator, &sessions, keeper.as_ref(), now, by).await?;
            } else {
                store.enable_operator(&operator, now, &bearer.id).await?;
            }
            Ok(reply)
        });
        Ok(changed.await?)
    })
    .await
}

/// Returns another enabled operator who can enable operators again. Returns `None` if one is not
/// needed: the operator cannot do so, or `OPERATOR_ADMINS` lists an admin that has not signed in yet.
async fn keeper(operators: &Operators, leaving: &Stored<Person>) -> Result<Option<Stored<Person>>> {
    let roles = &operators.roles;
    if !roles.may_change_operators(&leaving.item.profile.roles) {
        return Ok(None);
    }
    let everybody = filter::Where::from_query("", Person::SCHEMA)?;
    let (known, _) = operators.store.find::<Person>(&everybody, None).await?;
    let keeps = |other: &&Stored<Person>| {
        let Person { id, disabled, profile, .. } = &other.item;
        *id != leaving.item.id && !disabled && roles.may_change_operators(&profile.roles)
    };
    if let Some(keeper) = known.iter().find(keeps) {
        // The list is eventually consistent; the transaction checks the version that is read here.
        let (latest, _) = Person::one(&operators.store, keeper.item.id).await?;
        return if keeps(&&latest) { Ok(Some(latest)) } else { Err(Error::Stale) };
    }
    let gone = known.iter().filter(|other| other.item.disabled).map(|other| &other.item);
    let gone = gone.chain([&leaving.item]);
    match &operators.provider {
        Some(provider) if provider.admins.lists_another_than(gone) => Ok(None),
        _ => Err(Error::LastAdmin),
    }
}

/// `GET /operators/{id}/sessions`.
pub(crate) async fn sessions(
    State(operators): State<Operators>,
    SelfOr { bearer, .. }: SelfOr<permit::ViewOperator>,
    path: PathIds,
) -> web::Result<Response> {
    let found = operators.store.sessions_of(path.id()?).await?;
    let (now, idle) = (lambda::now(), operators.sessions.idle);
    let open = found.sessions.iter().filter(|session| now.since(session.seen_on) < idle);
    let newest = open.take(MOST_LISTED);
    let views: Vec<_> = newest.map(|session| session.view(bearer.session())).collect();
    Ok(Json(views).into_response())
}

/// `DELETE /operators/{id}/sessions/{sessionId}`: ends a session.
pub(crate) async fn end_session(
    SelfOr { bearer, .. }: SelfOr<permit::UpdateOperator>,
    once: Once,
    path: PathIds,
) -> web::Result<Response> {
    let (operator, id): (OperatorId, SessionId) = (path.id()?, path.named("sessionId")?);
    let bearer = &bearer;
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let reply = Reply::no_content();
        let (store, now) = (attempt.recording(&reply), lambda::now());
        store.end_existing_session(operator, id, now, &bearer.id).await?;
        Ok(reply)
    })
    .await
}
