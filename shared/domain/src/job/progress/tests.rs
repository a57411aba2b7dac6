use std::time::Duration;

use super::*;
use crate::{JobKind, job::tests::job};

const SECOND: Duration = Duration::from_secs(1);

fn stage(name: &str, state: StepState, time: Timestamp) -> StepReport {
    StepReport::new(StepSource::Pipeline, name, state, time)
}

/// Returns every order of `items`.
fn orders<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let first = |position: usize| {
        let mut rest = items.to_vec();
        let first = rest.remove(position);
        orders(&rest).into_iter().map(move |order| [vec![first.clone()], order].concat())
    };
    (0..items.len()).flat_map(first).collect()
}

fn told(job: &Job, reports: &[StepReport]) -> Job {
    reports.iter().fold(job.clone(), |job, report| match job.progress_after(report.clone()) {
        Some(progress) => Job { progress, ..job },
        None => job,
    })
}

#[test]
fn the_order_of_reports_and_their_repetition_do_not_matter() {
    use StepState::{Failed, Running, Succeeded};
    let now = crate::now();
    let job = job(JobKind::Provision, now);
    let at = |seconds: u32| now + SECOND * seconds;
    // The stage fails and is started again.
    let reports = [
        stage("Build", Running, at(1)),
        stage("Build", Failed, at(2)).with_details(Some("first"), None),
        stage("Build", Running, at(3)),
        stage("Build", Succeeded, at(5)).with_details(Some("second"), None),
        StepReport::new(StepSource::Build, "Build", Running, at(4)),
    ];
    for order in orders(&reports) {
        let twice = told(&job, &[order.clone(), order].concat());
        let build = twice.progress.iter().find(|step| step.source == StepSource::Pipeline);
        let build = build.unwrap();
        assert_eq!(
            (build.state, build.started_on, build.ended_on),
            (Succeeded, at(3), Some(at(5)))
        );
        assert_eq!(build.summary.as_deref(), Some("second"));
        assert_eq!(twice.progress.len(), 2);
        assert_eq!((twice.state, twice.steps.len()), (job.state, job.steps.len()));
    }
}

#[test]
fn a_start_and_an_end_within_one_second_are_an_end() {
    let now = crate::now();
    let job = job(JobKind::Provision, now);
    let reports = [stage("A", StepState::Running, now), stage("A", StepState::Succeeded, now)];
    for order in orders(&reports) {
        let step = told(&job, &order).progress.remove(0);
        assert_eq!((step.state, step.ended_on), (StepState::Succeeded, Some(now)));
    }
}

#[test]
fn a_stage_that_ended_first_or_last_keeps_the_details_of_its_action() {
    let now = crate::now();
    let job = job(JobKind::Provision, now);
    let (running, failed) = (StepState::Running, StepState::Failed);
    let action = stage("A", failed, now + SECOND).with_details(Some("why"), None);
    for end in [now + SECOND, now + SECOND * 2] {
        for order in orders(&[action.clone(), stage("A", failed, end)]) {
            let reports = [vec![stage("A", running, now)], order].concat();
            let step = told(&job, &reports).progress.remove(0);
            assert_eq!((step.ended_on, step.summary.as_deref()), (Some(end), Some("why")));
        }
    }
}

#[test]
fn steps_are_limited_and_the_latest_are_kept() {
    let now = crate::now();
    let job = job(JobKind::Provision, now);
    let step = |n: u32| stage(&format!("s{n}"), StepState::Running, now + SECOND * n);
    let build = StepReport::new(StepSource::Build, "b", StepState::Running, now);
    let mut reports: Vec<_> = (1..=40).map(step).collect();
    reports.insert(0, build);
    let full = told(&job, &reports);
    assert_eq!(full.progress.len(), MAX_STEPS + 1);
    assert_eq!((full.progress[0].name.as_str(), full.progress[1].name.as_str()), ("b", "s11"));
    assert_eq!(full.progress_after(step(2)), None, "an old step that arrives again");
}

#[test]
fn texts_are_shortened_and_links_are_checked() {
    let now = crate::now();
    let long = "\u{1f600}\n".repeat(1000);
    for (link, kept) in [
        ("https://a.example/x", Some("https://a.example/x")),
        ("javascript:alert(1)", None),
        ("not a url", None),
        (&format!("https://a.example/{}", "x".repeat(1000)), None),
    ] {
        let report = stage(&long, StepState::Failed, now - SECOND);
        let report = report.with_details(Some(&long), Some(link));
        let step = told(&job(JobKind::Provision, now), &[report]).progress.remove(0);
        assert_eq!(step.name.chars().count(), MAX_STEP_NAME);
        assert!(!step.name.contains('\n'));
        assert_eq!(step.summary.unwrap().chars().count(), MAX_STEP_SUMMARY);
        assert_eq!((step.link.as_deref(), step.started_on), (kept, now));
    }
}

#[test]
fn a_step_that_starts_again_runs_from_its_latest_start() {
    use StepState::{Failed, Running};
    let now = crate::now();
    let job = job(JobKind::Provision, now);
    let at = |seconds: u32| now + SECOND * seconds;
    let (first, again) = (stage("A", Running, at(1)), stage("A", Running, at(3)));
    let failed = stage("A", Failed, at(2));
    for reports in [vec![first.clone(), again.clone()], vec![first, failed, again]] {
        for order in orders(&reports) {
            let step = told(&job, &order).progress.remove(0);
            let expected = (Running, at(3), None);
            assert_eq!((step.state, step.started_on, step.ended_on), expected, "{order:?}");
        }
    }
}

#[test]
fn an_earlier_end_explains_the_latest_one_only_if_it_is_of_the_same_run_and_state() {
    use StepState::{Failed, Running, Succeeded};
    let now = crate::now();
    let job = job(JobKind::Provision, now);
    let at = |seconds: u32| now + SECOND * seconds;
    let reports = [stage("A", Running, at(3)), stage("A", Failed, at(5))];
    for (state, second, summary) in [
        (Failed, 4, Some("why")),
        (Failed, 3, Some("why")),
        (Failed, 2, None),
        (Succeeded, 4, None),
    ] {
        let late = stage("A", state, at(second)).with_details(Some("why"), None);
        let step = told(&job, &[&reports[..], &[late]].concat()).progress.remove(0);
        assert_eq!((step.state, step.ended_on), (Failed, Some(at(5))), "{state} {second}");
        assert_eq!(step.summary.as_deref(), summary, "{state} {second}");
    }
}
