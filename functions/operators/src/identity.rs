//! The IDs of operators.

use domain::OperatorId;
use ring::digest;

/// The namespace of URLs (RFC 9562 §6.6).
const URL: [u8; 16] = [
    0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
];

/// Returns the ID of a subject of an issuer: a `UUIDv5` of the subject in the namespace that is the
/// `UUIDv5` of the issuer. So it is stable, and contains no personal data.
pub(crate) fn operator_id(issuer: &str, subject: &str) -> OperatorId {
    let namespace = named(&URL, issuer);
    named(namespace.as_bytes(), subject)
}

fn named(namespace: &[u8; 16], name: &str) -> OperatorId {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(namespace);
    context.update(name.as_bytes());
    let mut start = [0; 16];
    start.copy_from_slice(&context.finish().as_ref()[..16]);
    OperatorId::of_sha1(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_5() {
        // Computed with Python's `uuid.uuid5`.
        assert_eq!(
            named(&URL, "https://id.test").to_string(),
            "784a79f2-4fc4-590e-9060-087e6c2700ce"
        );
        assert_eq!(
            operator_id("https://id.test", "ada").to_string(),
            "1c0d6e05-114a-513f-b34d-007aebd71439"
        );
        assert_ne!(operator_id("https://id.test", "ada"), operator_id("https://id.testa", "da"));
    }
}
