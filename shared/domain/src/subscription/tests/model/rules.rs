use super::{customer::Customer, *};

/// Checks what holds at any moment.
pub(super) fn check_always(customer: &Customer<'_>) {
    let current = customer.all.iter().filter(|one| one.is_current()).count();
    assert!(current <= 1, "never two current");
    let Some(one) = customer.current() else { return };
    let is_late = matches!(one.phase, Phase::PastDue | Phase::Suspended);
    if one.is_current() {
        assert_eq!(is_late, !one.overdue.is_empty(), "late if and only if something is overdue");
    }
    assert_eq!(one.ended_on.is_some(), one.phase.has_ended());
    let is_suspended = customer.tenant.status == TenantStatus::Suspended;
    assert_eq!(is_suspended, customer.tenant.suspension.is_some());
    assert!(one.adjustments.len() <= MAX_ADJUSTMENTS);
}

/// Checks what holds once the clock has run.
pub(super) fn check_settled(customer: &Customer<'_>, now: Timestamp) {
    let Some(one) = customer.current() else { return };
    let standing = customer.tenant.standing();
    let waiting = one.timers(0).into_iter().filter(|timer| timer.at <= now);
    if standing.has_open_job {
        return;
    }
    for timer in waiting {
        let is_locked = standing.status != TenantStatus::Active;
        assert!(timer.action == TimerAction::Move && is_locked, "{timer:?} of {one:?}");
    }
    let period = one.current_period.filter(|_| one.is_current());
    assert!(period.is_none_or(|period| period.end > now), "{one:?}");
    let unpaid = standing.suspension == Some(SuspensionReason::NonPayment);
    if one.phase == Phase::Suspended {
        assert_eq!(standing.status, TenantStatus::Suspended);
    } else {
        assert!(!unpaid, "a customer with nothing overdue is locked out: {one:?}");
    }
    if one.phase.is_entitled() && one.phase != Phase::Suspended {
        assert!(!standing.is_suspended_by_subscription(), "{standing:?} {one:?}");
    }
}

/// Checks that the periods of each subscription touch, and that each has its event and its invoice.
pub(super) fn check_periods(customer: &Customer<'_>) {
    for pair in customer.periods.windows(2) {
        let [(one, before), (other, after)] = pair else { unreachable!() };
        if one == other {
            assert_eq!(before.end, after.start, "no gap and no overlap");
        }
        assert!(before.start < after.start);
    }
    for subscription in customer.all.iter().filter(|one| one.is_current()) {
        let last = customer.periods.iter().rfind(|(owner, _)| *owner == subscription.id);
        assert_eq!(subscription.current_period, last.map(|(_, period)| *period));
    }
    let begun = customer.seen.of(EventType::SubscriptionActivated)
        + customer.seen.of(EventType::SubscriptionRenewed);
    assert_eq!(begun, customer.periods.len() as u64, "each period has one event");
}
