//! The callers and the body of a route, taken from the arguments of its handler.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Uri},
};

use super::{
    Allowed, AllowedBoth, Body, IfMatch, IfNoneMatch, Json, KeyBearer, LeadBearer, ListQuery, Once,
    Operator, OptionalJson, Paged, PathIds, RawBody, RequestId, SignedBody,
};
use domain::Permit;
use schema::FromJson;
use serde_json::Value;

/// The callers of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Everyone.
    Anybody,
    /// A lead with the key from its verification email.
    LeadKey,
    /// A lead with its token.
    LeadToken,
    /// A caller whose token grants one of these permissions.
    Permitted(&'static [u16]),
    /// An operator whose token grants one of these permissions.
    Operator(&'static [u16]),
    /// A person with the cookie of a session.
    Session,
    /// A caller with a token of a trusted issuer.
    IssuerToken,
    /// A sender that signs the body.
    Signed,
}

/// The callers of a route, and the permissions that they need in addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The callers.
    pub caller: Caller,
    /// Permissions of which the caller needs one in addition, unless the caller is a lead.
    pub also_requires: &'static [u16],
}

impl Access {
    /// Creates the access of these callers, without further permissions.
    #[must_use]
    pub const fn of(caller: Caller) -> Self {
        Self { caller, also_requires: &[] }
    }

    /// Returns the access of these callers, with the permissions that `other` requires in addition.
    fn and(self, other: Self) -> Self {
        if self.also_requires.is_empty() {
            return Self { also_requires: other.also_requires, ..self };
        }
        self
    }
}

/// An argument of a handler.
pub trait Argument {
    /// The callers that the argument admits. `None` if it admits all.
    const ACCESS: Option<Access> = None;

    /// The schema of the body that the argument reads. `None` if it reads none, or any.
    const BODY: Option<fn() -> Value> = None;

    /// The optional request header that the argument reads, if clients choose its value.
    const HEADER: Option<&'static str> = None;
}

impl<P: Permit> Argument for Allowed<P> {
    const ACCESS: Option<Access> = Some(Access::of(Caller::Permitted(P::CODES)));
}

impl<P: Permit, V: Permit> Argument for AllowedBoth<P, V> {
    const ACCESS: Option<Access> =
        Some(Access { caller: Caller::Permitted(P::CODES), also_requires: V::CODES });
}

impl<P: Permit> Argument for Operator<P> {
    const ACCESS: Option<Access> = Some(Access::of(Caller::Operator(P::CODES)));
}

impl Argument for LeadBearer {
    const ACCESS: Option<Access> = Some(Access::of(Caller::LeadToken));
}

impl Argument for SignedBody {
    const ACCESS: Option<Access> = Some(Access::of(Caller::Signed));
}

impl<T: FromJson> Argument for Json<T> {
    const BODY: Option<fn() -> Value> = Some(T::schema);
}

impl Argument for KeyBearer {
    const ACCESS: Option<Access> = Some(Access::of(Caller::LeadKey));
}

impl<T: FromJson> Argument for OptionalJson<T> {
    const BODY: Option<fn() -> Value> = Some(T::schema);
}

impl Argument for Once {
    const HEADER: Option<&'static str> = Some("Idempotency-Key");
}

impl Argument for IfMatch {
    const HEADER: Option<&'static str> = Some("If-Match");
}

impl Argument for IfNoneMatch {
    const HEADER: Option<&'static str> = Some("If-None-Match");
}

impl<S> Argument for State<S> {}
impl<E> Argument for ListQuery<E> {}
impl<T, E> Argument for Result<T, E> {}
impl Argument for Body {}
impl Argument for HeaderMap {}
impl Argument for PathIds {}
impl Argument for Paged {}
impl Argument for RawBody {}
impl Argument for RawQuery {}
impl Argument for RequestId {}
impl Argument for Uri {}

/// A handler whose arguments declare its callers and its body.
pub trait Declared<Arguments> {
    /// Returns the callers that the first restricting argument admits, and the permissions that any
    /// argument requires in addition.
    #[must_use]
    fn access() -> Access;

    /// Returns the schema of the body. `None` if no argument declares it.
    #[must_use]
    fn body() -> Option<Value>;

    /// Returns the optional request headers that the arguments read.
    #[must_use]
    fn headers() -> Vec<&'static str>;
}

/// Implements [`Declared`] for handlers with these arguments.
macro_rules! declared {
    ($($argument:ident)+) => {
        impl<F, Answer, $($argument: Argument),+> Declared<($($argument,)+)> for F
        where
            F: FnOnce($($argument),+) -> Answer,
        {
            fn access() -> Access {
                let declared = [$($argument::ACCESS),+];
                let restricting = declared.into_iter().flatten();
                restricting.reduce(Access::and).unwrap_or(Access::of(Caller::Anybody))
            }

            fn body() -> Option<Value> {
                let declared = [$($argument::BODY),+];
                declared.into_iter().flatten().next().map(|schema| schema())
            }

            fn headers() -> Vec<&'static str> {
                [$($argument::HEADER),+].into_iter().flatten().collect()
            }
        }
    };
}

declared!(A);
declared!(A B);
declared!(A B C);
declared!(A B C D);
declared!(A B C D E);
declared!(A B C D E G);
declared!(A B C D E G I);
declared!(A B C D E G I J);
declared!(A B C D E G I J K);

#[cfg(test)]
mod tests {
    use domain::permit;

    use super::*;

    fn access<H: Declared<A>, A>(_: H) -> Access {
        H::access()
    }

    #[test]
    fn a_handler_admits_the_callers_that_its_arguments_declare() {
        let update = async |_: State<()>, _: Allowed<permit::UpdateTenant>, _: PathIds, _: Body| {};
        assert_eq!(access(update), Access::of(Caller::Permitted(&[10205])));
        let bulk = async |_: AllowedBoth<permit::UpdateTenant, permit::ViewTenant>, _: Body| {};
        let both = Access { caller: Caller::Permitted(&[10205]), also_requires: &[10207] };
        assert_eq!(access(bulk), both);
        let operators =
            async |_: Operator<permit::UpdateTenant>,
                   _: AllowedBoth<permit::UpdateTenant, permit::ViewTenant>| {};
        let caller = Caller::Operator(&[10205]);
        assert_eq!(access(operators), Access { caller, ..both });
        let create = async |_: Operator<permit::CreateTenant>| {};
        assert_eq!(access(create), Access::of(Caller::Operator(&[10204])));
        assert_eq!(access(async |_: PathIds| {}), Access::of(Caller::Anybody));
        assert_eq!(access(async |_: SignedBody| {}), Access::of(Caller::Signed));
    }

    fn body<H: Declared<A>, A>(_: H) -> Option<Value> {
        H::body()
    }

    #[test]
    fn a_handler_has_the_body_that_its_arguments_declare() {
        let create = async |_: PathIds, _: Json<bool>| {};
        assert_eq!(body(create), Some(bool::schema()));
        assert_eq!(body(async |_: PathIds, _: Body| {}), None);
    }
}
