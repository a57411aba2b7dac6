use super::*;

/// Returns a key of the minimum length, 32 bytes.
fn long(start: &str) -> String {
    format!("{start:-<32}")
}

fn master(value: &str) -> MasterKeys {
    MasterKeys(KeySet::parse("MASTER_KEYS", &value.into()).unwrap())
}

#[test]
fn a_rotated_key_still_verifies_and_no_longer_signs() {
    let (tenant, job, lead) = (TenantId::generate(), JobId::generate(), LeadId::generate());
    let (old, new) = (long("old"), long("new"));
    let before = master(&format!(r#"{{"current":"k1","k1":"{old}"}}"#));
    let after = master(&format!(r#"{{"current":"k2","k1":"{old}","k2":"{new}"}}"#));
    let retired = master(&format!(r#"{{"current":"k2","k2":"{new}"}}"#));

    let key = before.lead_key(lead, 32);
    let key = key.expose_secret();
    assert_eq!(key.len(), 32);
    assert_eq!(after.lead_key_issued(lead, 32, key), lead.created_at());
    assert_eq!(retired.lead_key_issued(lead, 32, key), None);
    assert_ne!(after.lead_key(lead, 32).expose_secret(), key);

    let message: [&[u8]; 2] = [b"body", b"context"];
    let signature = mac(&before.webhook_secret(tenant, job), &message);
    assert!(after.is_webhook_signature(tenant, job, &message, signature.as_ref()));
    assert!(!retired.is_webhook_signature(tenant, job, &message, signature.as_ref()));
    assert!(!after.is_webhook_signature(tenant, JobId::generate(), &message, signature.as_ref()));
}

#[test]
fn an_idp_secret_is_valid_for_one_tenant_and_no_job() {
    let (keys, tenant, job) = (master(&long("secret")), TenantId::generate(), JobId::generate());
    let message: [&[u8]; 2] = [b"body", b"1"];
    let signature = mac(&keys.idp_secret(tenant), &message);
    assert!(keys.is_idp_signature(tenant, &message, signature.as_ref()));
    assert!(!keys.is_idp_signature(TenantId::generate(), &message, signature.as_ref()));
    assert!(!keys.is_webhook_signature(tenant, job, &message, signature.as_ref()));
}

#[test]
fn a_lead_key_is_valid_for_one_lead_and_only_in_full() {
    let (keys, lead) = (master(&long("secret")), LeadId::generate());
    let key = keys.lead_key(lead, 32);
    let key = key.expose_secret();
    for (lead, wrong) in
        [(LeadId::generate(), key), (lead, &key[..31]), (lead, ""), (lead, "-"), (lead, "1-")]
    {
        assert_eq!(keys.lead_key_issued(lead, 32, wrong), None, "{wrong}");
    }
}

#[test]
fn the_key_of_a_link_is_valid_for_its_lead_and_time_only() {
    let (keys, lead) = (master(&long("secret")), LeadId::generate());
    let issued = Timestamp::from_millis(1_764_000_000_000);
    let key = keys.link_key(lead, issued, 32);
    let key = key.expose_secret();
    assert_eq!(keys.lead_key_issued(lead, 32, key), Some(issued));
    assert_eq!(keys.lead_key_issued(LeadId::generate(), 32, key), None);
    let mac = key.strip_prefix("1764000000000-").unwrap();
    assert_eq!(mac.len(), 32);
    for wrong in [
        mac.to_owned(),
        format!("1764000000001-{mac}"),
        format!("01764000000000-{mac}"),
        format!("+1764000000000-{mac}"),
        format!("{key}0"),
        key[..key.len() - 1].to_owned(),
    ] {
        assert_eq!(keys.lead_key_issued(lead, 32, &wrong), None, "{wrong}");
    }
}

#[test]
fn a_set_without_its_current_key_is_refused_and_not_shown() {
    let set = format!(r#"{{"current":"k9","k1":"{}"}}"#, long("hidden"));
    let error = KeySet::parse("JWT_SECRET", &set.into()).unwrap_err();
    assert!(error.to_string().contains("JWT_SECRET"));
    assert!(!format!("{error} {:?}", master(&long("hidden"))).contains("hidden"));
}

#[test]
fn a_key_under_256_bits_is_refused_by_name_and_not_shown() {
    let (short, enough) = ("s".repeat(31), "e".repeat(32));
    for weak in [
        "a".to_owned(),
        " ".repeat(64),
        "\t\n".repeat(40),
        short.clone(),
        format!("  {short}\n"),
        format!(r#"{{"current":"k2","k1":"{short}","k2":"{enough}"}}"#),
        format!(r#"{{"current":"k1","k1":"{short}","k2":"{enough}"}}"#),
        format!(r#"{{"current":"k1","k1":"{}"}}"#, " ".repeat(64)),
    ] {
        let error = KeySet::parse("JWT_SECRET", &weak.into()).unwrap_err().to_string();
        let rule = "JWT_SECRET must have keys of at least 32 bytes (RFC 7518 §3.2)";
        assert!(error.contains(rule) && !error.contains(&short), "{error}");
    }
    assert!(KeySet::parse("JWT_SECRET", &enough.into()).is_ok());
    // 32 bytes, although only 16 characters.
    assert!(KeySet::parse("JWT_SECRET", &"é".repeat(16).into()).is_ok());
}

#[test]
fn bytes_are_compared_to_the_last_one() {
    for (presented, same) in
        [("abc", true), ("abd", false), ("bbc", false), ("ab", false), ("abcd", false), ("", false)]
    {
        assert_eq!(same_bytes(b"abc", presented.as_bytes()), same, "{presented}");
    }
}
