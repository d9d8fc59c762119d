//! The packs of the tree under both evaluators: the typed program and rhai's interpreter give the same assessments, for every
//! case and for tickets made up at random.

use std::path::Path;
use std::sync::Arc;

use holdback::{Assessment, Evaluator, Pack, TICKET_KINDS, assess, run_cases};

use crate::fuzz::bodies::generate::choices::Choices;
use crate::fuzz::bodies::tickets::history;

/// So many tickets for each pack.
const TICKETS: u64 = 10_000;

fn pack(name: &str) -> Pack {
    Pack::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules").join(name)).unwrap()
}

/// The pack under the program, and under the interpreter.
fn both(name: &str) -> [Pack; 2] {
    [pack(name).evaluated_by(Evaluator::Program), pack(name).evaluated_by(Evaluator::Reference)]
}

/// Tickets of one pack, and that they are of use: judged mostly, some in a fault, some with a penalty.
fn compare(name: &str) {
    let [program, reference] = both(name);
    let declared = ["receipt_sent", "contingency_given", "solution_given", "understood", "answered"];
    let kinds: Vec<&str> = match program.contracts.iter().any(|contract| contract == "it-desk") {
        true => TICKET_KINDS.to_vec(),
        false => TICKET_KINDS.into_iter().chain(declared).collect(),
    };
    let (mut judged, mut faults, mut owing) = (0, 0, 0);
    for seed in 0..TICKETS {
        let mut dice = Choices::random(seed);
        let made = history(&mut dice, &program, &kinds);
        let found: [Result<Assessment, _>; 2] =
            [&program, &reference].map(|pack| assess(pack, &made.contract, &made.ticket, made.as_of));
        let [found, expected] = found;
        assert_eq!(found, expected, "{name}, ticket {seed}: {made:#?}");
        if let Ok(assessment) = found {
            judged += 1;
            faults += u64::from(assessment.fault.is_some());
            owing += u64::from(!assessment.penalties.is_empty());
        }
    }
    let told = format!("{name}: {judged} judged, {faults} faults, {owing} with a penalty");
    assert!(
        judged > TICKETS / 3 && faults > judged / 50 && faults < judged * 2 / 3 && owing > judged / 50,
        "{told}"
    );
}

#[test]
fn random_tickets_of_the_school_are_judged_alike() {
    compare("school-after-sales");
}

#[test]
fn random_tickets_of_the_it_desk_are_judged_alike() {
    compare("it-incidents");
}

#[test]
fn every_case_holds_under_both() {
    for name in ["school-after-sales", "it-incidents"] {
        let [program, reference] = both(name).map(Arc::new);
        let (found, expected) = (run_cases(&program), run_cases(&reference));
        assert!(found.len() > 2 && found == expected, "{name}: {found:?}\n{expected:?}");
    }
}
