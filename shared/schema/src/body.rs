use crate::{FromJson, Members, Patch};

/// Declares a struct that is read from a JSON object, and names each member once: the struct,
/// [`FromMembers`](crate::FromMembers) with its schema, and [`Patch`] follow from the fields.
///
/// * A member has the field's name in camel case, or the name after `=`.
/// * An `Option` is an optional member, which may be absent or `null`. Any other field is required.
/// * `as` names the type that is read, if the field has another one made by `From`.
///   `as Flat<T>` reads the members of a `T` from the same object.
/// * `const ALLOWS_UNKNOWN: bool = true;` accepts members without a field.
/// * `fn check(members) { … }` checks members together. Each field is an `Option` of its type,
///   `None` if it is missing or invalid.
///
/// ```
/// use schema::{Day, body, read};
/// use serde_json::json;
///
/// body! {
///     /// A stay in a hotel.
///     pub struct Stay {
///         pub arrives_on: Day,
///         pub with_breakfast: Option<bool> = "breakfast",
///     }
/// }
///
/// let stay: Stay = read(&json!({ "arrivesOn": "2026-01-01", "breakfast": true })).unwrap();
/// assert_eq!(stay.with_breakfast, Some(true));
/// ```
#[macro_export]
macro_rules! body {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field_vis:vis $field:ident: $type:ty $(as $read:ty)? $(= $member:literal)?
            ),* $(,)?
        }
        $(const ALLOWS_UNKNOWN: bool = $allows_unknown:literal;)?
        $(fn check($members:ident) $check:block)?
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl $crate::FromMembers for $name {
            $(const ALLOWS_UNKNOWN: bool = $allows_unknown;)?

            fn from_members(members: &mut impl $crate::Members) -> Option<Self> {
                $(
                    let $field: Option<$type> =
                        <$crate::body!(@read $type $(as $read)?) as $crate::Member<$type>>::read(
                            members,
                            $crate::body!(@name $field $($member)?),
                        );
                )*
                $(let $members = &mut *members; $check)?
                Some(Self { $($field: $field?),* })
            }
        }

        impl $crate::Patch for $name {
            fn patched(self, members: &mut impl $crate::Members) -> Option<Self> {
                $(
                    let $field: Option<$type> =
                        <$crate::body!(@read $type $(as $read)?) as $crate::Member<$type>>::patched(
                            self.$field,
                            members,
                            $crate::body!(@name $field $($member)?),
                        );
                )*
                $(let $members = &mut *members; $check)?
                Some(Self { $($field: $field?),* })
            }
        }
    };
    (@read $type:ty as $read:ty) => { $read };
    (@read $type:ty) => { $type };
    (@name $field:ident $member:literal) => { $member };
    (@name $field:ident) => {{
        static NAME: $crate::CamelCase<{ stringify!($field).len() }> =
            $crate::CamelCase::new(stringify!($field));
        NAME.as_str()
    }};
}

/// How a member of a [`body!`] is read into a field of type `T`.
pub trait Member<T>: Sized {
    /// Reads the member `name`.
    fn read(members: &mut impl Members, name: &'static str) -> Option<T>;

    /// Reads the member `name`, or returns `current` if it is not given.
    fn patched(current: T, members: &mut impl Members, name: &'static str) -> Option<T> {
        if members.contains(name) { Self::read(members, name) } else { Some(current) }
    }
}

/// A required member.
impl<R: FromJson, T: From<R>> Member<T> for R {
    fn read(members: &mut impl Members, name: &'static str) -> Option<T> {
        members.required::<R>(name).map(T::from)
    }
}

/// An optional member.
impl<R: FromJson, T: From<R>> Member<Option<T>> for Option<R> {
    fn read(members: &mut impl Members, name: &'static str) -> Option<Option<T>> {
        Some(members.optional::<R>(name).map(T::from))
    }
}

/// A part of a [`body!`] whose members are in the same object.
#[derive(Clone, Copy, Debug)]
pub struct Flat<T>(pub T);

impl<T: Patch> Member<T> for Flat<T> {
    fn read(members: &mut impl Members, _: &'static str) -> Option<T> {
        T::from_members(members)
    }

    fn patched(current: T, members: &mut impl Members, _: &'static str) -> Option<T> {
        current.patched(members)
    }
}

/// The name of a field in camel case, such as `firstName` for `first_name`.
#[derive(Clone, Copy, Debug)]
pub struct CamelCase<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> CamelCase<N> {
    /// Converts the name of a field, which has `N` bytes.
    #[must_use]
    pub const fn new(field: &str) -> Self {
        let (mut bytes, mut length, mut read) = ([0; N], 0, 0);
        while read < N {
            let starts_word = field.as_bytes()[read] == b'_';
            read += if starts_word { 1 } else { 0 };
            let letter = field.as_bytes()[read];
            bytes[length] = if starts_word { letter.to_ascii_uppercase() } else { letter };
            read += 1;
            length += 1;
        }
        Self { bytes, length }
    }

    /// Returns the name.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(name) => name,
            Err(_) => panic!("a field's name is UTF-8"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Document, FromJson, Invalid, Limits, read};

    body! {
        #[derive(Clone, Debug, PartialEq)]
        struct Range {
            first_value: u32,
            last_value: Option<u32> = "last",
        }
        fn check(members) {
            if let (Some(first), Some(Some(last))) = (first_value, last_value)
                && last < first
                && let Some(mut at) = members.place(Some("last"))
            {
                at.violate("minimum", "must be >= firstValue", json!({}));
            }
        }
    }

    impl FromJson for u32 {
        fn from_json(value: &serde_json::Value, at: &mut crate::Reader<'_>) -> Option<Self> {
            value.as_u64().and_then(|number| number.try_into().ok()).or_else(|| {
                at.wrong_type("number");
                None
            })
        }

        fn schema() -> serde_json::Value {
            json!({ "type": "integer" })
        }
    }

    #[test]
    fn fields_name_the_members() {
        let range = read::<Range>(&json!({ "firstValue": 1, "last": 2 })).unwrap();
        assert_eq!(range, Range { first_value: 1, last_value: Some(2) });
        let Invalid(violations) = read::<Range>(&json!({ "first_value": 1 })).unwrap_err();
        let codes: Vec<_> = violations.iter().map(|violation| violation.code).collect();
        assert_eq!(codes, ["required", "additionalProperties"]);
        assert_eq!(Range::schema()["required"], json!(["firstValue"]));
        assert_eq!(Range::schema()["properties"]["last"]["type"], json!(["integer", "null"]));
    }

    #[test]
    fn a_patch_changes_the_given_members_and_is_checked_with_the_others() {
        let range = Range { first_value: 5, last_value: Some(7) };
        let patch = |text: &str| {
            let body = Document::parse(text.to_owned(), Limits::BODY).unwrap();
            body.patch(range.clone(), &["id"])
        };
        let last = |last_value| Range { first_value: 5, last_value };
        assert_eq!(patch("{}").unwrap(), range);
        assert_eq!(patch(r#"{ "last": 6, "id": 1 }"#).unwrap(), last(Some(6)));
        assert_eq!(patch(r#"{ "last": null }"#).unwrap(), last(None));
        for (text, code) in [
            (r#"{ "last": 4 }"#, "minimum"),
            (r#"{ "firstValue": null }"#, "type"),
            (r#"{ "other": 1 }"#, "additionalProperties"),
        ] {
            assert_eq!(patch(text).unwrap_err().0[0].code, code, "{text}");
        }
    }
}
