use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn event(id: &str) -> NewEvent {
    NewEvent {
        id: id.into(),
        bus: "b".into(),
        envelope: json!({ "detail-type": "T" }),
        deliveries: vec![NewDelivery { rule: "r".into(), function: "f".into() }],
    }
}

fn execution(id: &str, token: &str) -> NewExecution {
    NewExecution {
        id: id.into(),
        pipeline: "p".into(),
        token: Some(token.into()),
        variables: BTreeMap::from([("A".into(), "1".into())]),
        api_url: "http://127.0.0.1:1".into(),
    }
}

#[test]
fn pending_work_survives_a_restart() {
    let folder = std::env::temp_dir().join(format!("tenantry-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("state.sqlite");
    {
        let state = State::open(Some(&file)).unwrap();
        state.add_events(&[event("1"), event("2")]).unwrap();
        let due = state.due_deliveries(now(), 10).unwrap();
        state.delivered(due[0].0.id).unwrap();
        state.deliver_later(due[1].0.id, "not yet", -1).unwrap();
        state.start_execution(&execution("x", "t"), &event("3")).unwrap();
        state.set_checkpoint("m", "17").unwrap();
        state.add_secret("arn", "name", "value", "token").unwrap();
        state.add_mail("id", &NewMail { to: vec!["a@b".into()], ..NewMail::default() }).unwrap();
    }
    let state = State::open(Some(&file)).unwrap();
    let due = state.due_deliveries(now(), 10).unwrap();
    assert_eq!(due.len(), 2);
    assert!(due.iter().any(|(delivery, _)| delivery.attempts == 1 && delivery.error.is_some()));
    assert_eq!(state.running_executions().unwrap().len(), 1);
    assert_eq!(state.checkpoint("m").unwrap().as_deref(), Some("17"));
    assert_eq!(state.secret("name").unwrap().unwrap().value, "value");
    assert_eq!(state.mails().unwrap()[0].to, ["a@b"]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_execution_starts_and_ends_once() {
    let state = State::open(None).unwrap();
    assert_eq!(state.start_execution(&execution("x", "t"), &event("1")).unwrap(), "x");
    assert_eq!(state.start_execution(&execution("y", "t"), &event("2")).unwrap(), "x");
    for id in ["3", "4"] {
        state.end_execution("x", Status::Succeeded, "", &event(id)).unwrap();
    }
    let ids: Vec<_> = state.events().unwrap().into_iter().map(|event| event.id).collect();
    assert_eq!(ids, ["3", "1"]);
    assert_eq!(state.executions().unwrap().len(), 1);
}

#[test]
fn failed_work_becomes_a_dead_letter() {
    let state = State::open(None).unwrap();
    state.add_events(&[event("1")]).unwrap();
    let (delivery, envelope) = state.due_deliveries(now(), 1).unwrap().remove(0);
    state.give_up(&delivery, &envelope, "never").unwrap();
    state.skip("stream", "9", "relay", "no", &json!([])).unwrap();
    assert!(state.is_idle(true).unwrap());
    let letters = state.dead_letters().unwrap();
    assert_eq!(letters.iter().map(|letter| &*letter.error).collect::<Vec<_>>(), ["no", "never"]);
    assert_eq!(state.checkpoint("stream").unwrap().as_deref(), Some("9"));
}
