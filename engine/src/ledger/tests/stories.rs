//! Single histories, each with what it is about.

use super::*;
use crate::PenaltyState;

fn books(pack: &Pack, deposit: i64) -> Books {
    let mut books = Books::new("c", pack);
    books.apply(&paid(pack, "paid", at(0), deposit));
    books
}

fn state(statement: &Statement, id: &str) -> PenaltyState {
    statement.penalties.iter().find(|line| line.id == id).unwrap().state
}

#[test]
fn each_step_is_taken_at_its_own_instant() {
    let mut books = books(&PLAIN, 1_000);
    books.file(&PLAIN, "T1/1/a", owed(&PLAIN, "T1", "1", &[(at(10), 100), (at(20), 250), (at(30), 300)]));
    let statement = told(&PLAIN, &mut books);
    let history: Vec<(Instant, i64)> = statement.history.iter().map(|p| (p.at, p.balance.minor())).collect();
    assert_eq!(history, [(at(0), 1_000), (at(10), 900), (at(20), 750), (at(30), 700)]);
    assert_eq!(sums(&statement, "T1/1/a"), [300, 0, 300, 0]);
}

/// What comes after everything that is settled goes on from there; a penalty that grows is such a case.
#[test]
fn a_penalty_that_grows_does_not_settle_all_anew() {
    let mut books = books(&CAPPED, 1_000);
    let steps: Vec<(Instant, i64)> = (0..50).map(|n| (at(10 + n), 2 * (n + 1))).collect();
    for n in 1..=steps.len() {
        books.file(&CAPPED, "T1/2/a", owed(&CAPPED, "T1", "2", &steps[..n]));
        books.settle(&CAPPED, &[], end(), None).unwrap();
        assert!(!books.ledger.dirty);
        // One point for the payment, one for each step: nothing was taken out and put in again.
        assert_eq!((books.ledger.items.len(), books.ledger.entries.len()), (n + 1, n + 1));
    }
    assert_eq!(sums(&told(&CAPPED, &mut books), "T1/2/a"), [100, 0, 100, 0]);
}

#[test]
fn a_sum_that_falls_is_one_item_of_the_last_amount_at_the_first_instant() {
    let mut books = books(&PLAIN, 1_000);
    books.file(&PLAIN, "T1/1/a", owed(&PLAIN, "T1", "1", &[(at(10), 300), (at(20), 200)]));
    let statement = told(&PLAIN, &mut books);
    assert_eq!(statement.history.last().map(|p| (p.at, p.balance.minor())), Some((at(10), 800)));
    books.file(&PLAIN, "T1/1/a", owed(&PLAIN, "T1", "1", &[(at(10), 300), (at(20), 200), (at(30), 400)]));
    let statement = told(&PLAIN, &mut books);
    assert_eq!(statement.history.last().map(|p| (p.at, p.balance.minor())), Some((at(10), 600)));
}

#[test]
fn a_breach_told_late_makes_those_after_it_repetitions() {
    let mut books = books(&PLAIN, 10_000);
    for (ticket, hour) in [("T1", 100), ("T2", 200), ("T3", 100 + 24 * 31)] {
        books.file(&PLAIN, &format!("{ticket}/2/a"), owed(&PLAIN, ticket, "2", &[(at(hour), 100)]));
    }
    let statement = told(&PLAIN, &mut books);
    let amounts = |statement: &Statement| ["T1/2/a", "T2/2/a", "T3/2/a"].map(|id| sums(statement, id)[0]);
    // T3 comes more than thirty days after T1, less than thirty after T2.
    assert_eq!(amounts(&statement), [100, 200, 200]);
    books.file(&PLAIN, "T0/2/a", owed(&PLAIN, "T0", "2", &[(at(99), 100)]));
    assert_eq!(amounts(&told(&PLAIN, &mut books)), [200, 300, 200]);
    books.strike("T2/2/a");
    let statement = told(&PLAIN, &mut books);
    assert_eq!((sums(&statement, "T1/2/a")[0], sums(&statement, "T3/2/a")[0]), (200, 100));
    assert_eq!(statement.penalties[1].base.minor(), 100);
}

#[test]
fn caps_cut_in_their_order_and_say_how_much() {
    let mut books = books(&CAPPED, 10_000);
    // Four yuan a ticket, then five a month of clause 1.
    books.file(&CAPPED, "T1/1/a", owed(&CAPPED, "T1", "1", &[(at(10), 700)]));
    books.file(&CAPPED, "T2/1/a", owed(&CAPPED, "T2", "1", &[(at(20), 300)]));
    let statement = told(&CAPPED, &mut books);
    assert_eq!(sums(&statement, "T1/1/a"), [700, 300, 400, 0]);
    assert_eq!(sums(&statement, "T2/1/a"), [300, 200, 100, 0]);
    let cut = |line: usize| {
        let cuts = statement.penalties[line].cut_by.iter();
        cuts.map(|cut| (cut.cap.clone(), cut.amount.minor())).collect::<Vec<_>>()
    };
    assert_eq!(cut(0), [("per ticket, clause 3".to_owned(), 300)]);
    assert_eq!(cut(1), [("per month for 1, clause 3".to_owned(), 200)]);
    assert_eq!((statement.deposit.cut.minor(), statement.by_clause["1"].cut.minor()), (500, 500));
}

/// In the middle of March the cap of a month falls from five yuan to three.
#[test]
fn the_limit_is_that_of_the_penaltys_own_terms() {
    let mut books = books(&CAPPED, 10_000);
    for (ticket, date) in [("T1", "03-10"), ("T2", "03-20"), ("T3", "04-01")] {
        let mut owed = owed(&CAPPED, ticket, "1", &[(day(date), 400)]);
        // The last one too is reported before confirmations are asked for.
        owed.reported_at = day("03-01");
        books.file(&CAPPED, &format!("{ticket}/1/a"), owed);
    }
    let statement = told(&CAPPED, &mut books);
    // Two months hold nine yuan: enough for the three yuan of April.
    assert_eq!(["T1/1/a", "T2/1/a", "T3/1/a"].map(|id| sums(&statement, id)[1]), [0, 400, 100]);
}

/// Nine yuan in two months: what was charged in January counts in February and no more in March.
#[test]
fn a_rolling_cap_forgets_the_month_that_has_left_it() {
    let mut books = books(&CAPPED, 10_000);
    let dates = ["01-10", "01-11", "01-12", "02-10", "02-11", "03-10", "03-11", "03-12"];
    for (n, date) in dates.into_iter().enumerate() {
        let owed = owed(&CAPPED, &format!("T{n}"), "3", &[(day(date), 300)]);
        books.file(&CAPPED, &format!("T{n}/3/a"), owed);
    }
    let statement = told(&CAPPED, &mut books);
    let cuts: Vec<i64> = (0..dates.len()).map(|n| sums(&statement, &format!("T{n}/3/a"))[1]).collect();
    // In March the quarter has three yuan left: nine of its twelve were charged in January.
    assert_eq!(cuts, [0, 0, 0, 300, 300, 0, 300, 300]);
}

#[test]
fn a_waiver_makes_room_for_later_penalties_only() {
    let mut books = books(&CAPPED, 10_000);
    for (ticket, hour) in [("T1", 10), ("T2", 20), ("T3", 40)] {
        books.file(&CAPPED, &format!("{ticket}/1/a"), owed(&CAPPED, ticket, "1", &[(at(hour), 400)]));
    }
    books.apply(&word("w", Kind::PENALTY_WAIVED, at(30), "T1/1/a"));
    let statement = told(&CAPPED, &mut books);
    assert_eq!(sums(&statement, "T1/1/a"), [400, 0, 0, 0]);
    // Cut when it was charged; it stays cut.
    assert_eq!(sums(&statement, "T2/1/a"), [400, 300, 100, 0]);
    assert_eq!(sums(&statement, "T3/1/a"), [400, 0, 400, 0]);
    assert_eq!((state(&statement, "T1/1/a"), statement.deposit.waived.minor()), (PenaltyState::Waived, 400));
}

#[test]
fn what_is_earned_back_goes_back_and_makes_room() {
    let mut books = books(&CAPPED, 10_000);
    let credit = owed(&CAPPED, "2026-01", "1", &[(at(10), 400)]);
    let credit = Owed { subject: Subject::Level, earned_back: Some(at(30)), ..credit };
    books.file(&CAPPED, "2026-01/1/a", credit);
    books.file(&CAPPED, "T3/1/a", owed(&CAPPED, "T3", "1", &[(at(40), 400)]));
    let statement = told(&CAPPED, &mut books);
    assert_eq!(state(&statement, "2026-01/1/a"), PenaltyState::EarnedBack);
    assert_eq!((statement.deposit.earned_back.minor(), statement.deposit.deducted.minor()), (400, 400));
    let balances: Vec<i64> = statement.history.iter().map(|point| point.balance.minor()).collect();
    assert_eq!(balances, [10_000, 9_600, 10_000, 9_600]);
}

#[test]
fn a_dispute_holds_what_is_not_taken_and_undoes_nothing() {
    let mut books = books(&PLAIN, 300);
    books.file(&PLAIN, "T1/1/a", owed(&PLAIN, "T1", "1", &[(at(10), 500), (at(30), 600)]));
    books.file(&PLAIN, "T2/1/a", owed(&PLAIN, "T2", "1", &[(at(12), 100)]));
    books.apply(&word("d", Kind::PENALTY_DISPUTED, at(20), "T1/1/a"));
    books.apply(&paid(&PLAIN, "more", at(25), 250));
    let statement = told(&PLAIN, &mut books);
    // Two hundred were taken before; the payment goes past what is disputed to the next one.
    assert_eq!(sums(&statement, "T1/1/a"), [600, 0, 200, 300]);
    assert_eq!(sums(&statement, "T2/1/a"), [100, 0, 100, 0]);
    assert_eq!(state(&statement, "T1/1/a"), PenaltyState::Disputed);
    assert_eq!((statement.deposit.disputed.minor(), statement.deposit.balance.minor()), (100, 250));
    books.apply(&word("e", Kind::DISPUTE_ENDED, at(40), "T1/1/a"));
    let statement = told(&PLAIN, &mut books);
    assert_eq!(sums(&statement, "T1/1/a"), [600, 0, 350, 250]);
    assert_eq!(statement.history.last().map(|p| p.at), Some(at(40)));
    assert!(statement.remarks.is_empty(), "{:?}", statement.remarks);
}

#[test]
fn a_waiver_ends_a_dispute() {
    let mut books = books(&PLAIN, 300);
    books.file(&PLAIN, "T1/1/a", owed(&PLAIN, "T1", "1", &[(at(10), 500)]));
    books.apply(&word("d", Kind::PENALTY_DISPUTED, at(20), "T1/1/a"));
    books.apply(&word("w", Kind::PENALTY_WAIVED, at(21), "T1/1/a"));
    books.apply(&paid(&PLAIN, "more", at(25), 500));
    let statement = told(&PLAIN, &mut books);
    assert_eq!((state(&statement, "T1/1/a"), statement.deposit.balance.minor()), (PenaltyState::Waived, 800));
}

/// The term asks for the buyer's word for what is reported from April on.
#[test]
fn a_penalty_that_waits_takes_its_steps_at_the_confirmation() {
    let mut books = books(&PLAIN, 1_000);
    let steps = [(day("04-02"), 100), (day("04-03"), 200), (day("04-06"), 300)];
    books.file(&PLAIN, "T1/1/a", owed(&PLAIN, "T1", "1", &steps));
    assert_eq!(told(&PLAIN, &mut books).deposit.held.minor(), 300);
    books.apply(&word("c2", Kind::PENALTY_CONFIRMED, day("04-07"), "T1/1/a"));
    books.apply(&word("c", Kind::PENALTY_CONFIRMED, day("04-04"), "T1/1/a"));
    let statement = told(&PLAIN, &mut books);
    let history: Vec<(Instant, i64)> = statement.history.iter().map(|p| (p.at, p.balance.minor())).collect();
    assert_eq!(history, [(at(0), 1_000), (day("04-04"), 800), (day("04-06"), 700)]);
    assert!(statement.remarks.is_empty(), "{:?}", statement.remarks);
    let line = &statement.penalties[0];
    let said: Vec<(&str, Option<&str>)> =
        line.say.iter().map(|say| (&*say.event, say.why.as_deref())).collect();
    assert_eq!(said, [("c", Some("so agreed")), ("c2", Some("so agreed"))]);
}

#[test]
fn words_without_an_effect_are_told_each_in_its_own_way() {
    let mut books = books(&PLAIN, 1_000);
    books.file(&PLAIN, "T1/1/a", owed(&PLAIN, "T1", "1", &[(at(10), 100)]));
    books.file(&PLAIN, "T2/1/a", owed(&PLAIN, "T2", "1", &[(at(10), 100)]));
    for (id, kind, hour, penalty) in [
        ("a", Kind::PENALTY_WAIVED, 12, "T1/1/a"),
        ("b", Kind::PENALTY_WAIVED, 13, "T1/1/a"),
        ("c", Kind::DISPUTE_ENDED, 11, "T2/1/a"),
        ("d", Kind::PENALTY_DISPUTED, 12, "T2/1/a"),
        ("e", Kind::PENALTY_DISPUTED, 13, "T2/1/a"),
        ("f", Kind::DISPUTE_ENDED, 14, "T2/1/a"),
        ("h", Kind::PENALTY_WAIVED, 16, "T2/1/a"),
        ("i", Kind::PENALTY_DISPUTED, 17, "T2/1/a"),
        ("j", Kind::PENALTY_WAIVED, 18, "T9/1/a"),
    ] {
        books.apply(&word(id, kind, at(hour), penalty));
    }
    books.apply(&event("g", Kind::SETTLED, at(15), Detail::None));
    let nobody = said("T3/1/a", None);
    books.apply(&Entry { reason: None, ..event("k", Kind::PENALTY_WAIVED, at(25), nobody) });
    books.file(&PLAIN, "T3/1/a", owed(&PLAIN, "T3", "1", &[(at(20), 100)]));
    let statement = told(&PLAIN, &mut books);
    let settled = at(15);
    assert_eq!(
        statement.remarks,
        [
            "event `c` ends the dispute of the penalty `T2/1/a`, which is not disputed then".to_owned(),
            "event `b` waives the penalty `T1/1/a` again: the first waiver, event `a`, counts".to_owned(),
            "event `e` disputes the penalty `T2/1/a` again: event `d` disputes it already".to_owned(),
            format!(
                "event `h` waives the penalty `T2/1/a` after accounts were settled at {settled}: it has no effect"
            ),
            format!(
                "event `i` disputes the penalty `T2/1/a` after accounts were settled at {settled}: it has no effect"
            ),
            "event `j` waives the penalty `T9/1/a`, but no such penalty is owed".to_owned(),
            "event `k` waives the penalty `T3/1/a` without saying who or why: it is waived all the same"
                .to_owned(),
        ]
    );
    assert_eq!(sums(&statement, "T2/1/a"), [100, 0, 100, 0]);
    assert_eq!(state(&statement, "T3/1/a"), PenaltyState::Waived);
}

/// A floor that falls frees money; it once went to the newest penalty while an older shortfall still waited.
#[test]
fn a_floor_that_falls_pays_the_oldest_shortfall_first() {
    let mut books = books(&PLAIN, 600);
    books.file(&PLAIN, "T1/1/a", owed(&PLAIN, "T1", "1", &[(day("03-02"), 700)]));
    let mut new = owed(&PLAIN, "T2", "1", &[(day("05-02"), 200)]);
    new.reported_at = day("03-02");
    books.file(&PLAIN, "T2/1/a", new);
    let statement = told(&PLAIN, &mut books);
    // Two hundred above the floor of four yuan at first, then four hundred more, all for the old one.
    assert_eq!(sums(&statement, "T1/1/a"), [700, 0, 600, 100]);
    assert_eq!(sums(&statement, "T2/1/a"), [200, 0, 0, 200]);
}

/// A payment once paid shortfalls by the floor of the last penalty, though the floor had risen since.
#[test]
fn a_payment_keeps_the_floor_of_its_own_instant() {
    let mut books = books(&PLAIN, 300);
    books.file(&PLAIN, "T1/1/a", owed(&PLAIN, "T1", "1", &[(day("02-02"), 900)]));
    assert_eq!(told(&PLAIN, &mut books).deposit.balance.minor(), 100);
    // From March on four yuan stay.
    books.apply(&paid(&PLAIN, "more", day("03-02"), 500));
    let statement = told(&PLAIN, &mut books);
    assert_eq!(statement.deposit.balance.minor(), 400);
    assert_eq!(sums(&statement, "T1/1/a"), [900, 0, 400, 500]);
}

#[test]
fn a_cap_below_nothing_stops_deductions_and_is_told() {
    let pack = pack("[cap_per_month(terms.month - yuan(4)), cap_in_all(yuan(9))]");
    let mut books = books(&pack, 1_000);
    books.file(&pack, "T1/1/a", owed(&pack, "T1", "1", &[(day("02-02"), 150)]));
    books.file(&pack, "T2/1/a", owed(&pack, "T2", "1", &[(day("03-20"), 100)]));
    let statement = told(&pack, &mut books);
    assert_eq!(sums(&statement, "T1/1/a"), [150, 50, 100, 0]);
    assert_eq!(state(&statement, "T2/1/a"), PenaltyState::Held);
    let told = &statement.remarks[..];
    assert!(matches!(told, [one] if one.contains("not deducted") && one.contains("-1.00 CNY")), "{told:?}");
}
