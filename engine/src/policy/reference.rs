//! rhai's interpreter with the vocabulary registered from its table: the reference for every faster evaluator.

use std::any::TypeId;
use std::sync::Arc;

use rhai::packages::{BasicArrayPackage, Package};
use rhai::{Array, Dynamic, Engine};

use super::dynamic::{name_of, to_dynamic, to_value, type_of};
use super::view::{
    AgainView, Answer, BreachView, ContractView, FirstView, PeriodView, TermsView, TicketView, fault,
};
use crate::terms::{Period, Tiers};
use crate::vocabulary::{
    Cap, Due, Duty, FIELDS, FindingText, GLOBALS, Inputs, Level, NAMES_MAX, Relation, SIGNS, Share, Sort,
    Step, Value, Verdict, WORDS, Word, Words, compare, compute, fact_zh, negate, term_zh,
};
use crate::{Instant, Money, Span};

/// Limits of one evaluation. They are the same in debug and release builds, and stop a hostile script within a few
/// milliseconds and a few megabytes.
pub(crate) const OPERATIONS_MAX: u64 = 20_000;
pub(crate) const CALL_LEVELS_MAX: usize = 16;
pub(crate) const EXPR_DEPTH_MAX: usize = 48;
const STRING_MAX: usize = 1_024;
const ARRAY_MAX: usize = 128;
const MAP_MAX: usize = 64;
pub(crate) const VARIABLES_MAX: usize = 64;
const FUNCTIONS_MAX: usize = 64;

/// An interpreter that knows the words of a pack and nothing else.
pub(crate) fn interpreter(words: &Arc<Words>) -> Engine {
    let mut engine = limited();
    // What is written out was measured when it was read, and nothing in the language grows; the texts of a ticket are as long
    // as they are.
    engine.set_max_string_size(0);
    engine.set_max_array_size(0);
    engine.set_strict_variables(true);
    engine.set_allow_shadowing(false);
    engine.set_allow_anonymous_fn(false);
    engine.set_fail_on_invalid_map_property(true);
    // Off, so that the comparisons below stand before rhai's own, which call unlike things unequal without a word.
    engine.set_fast_operators(false);
    for word in ["eval", "print", "debug", "Fn", "call", "curry"] {
        engine.disable_symbol(word);
    }
    engine.register_global_module(BasicArrayPackage::new().as_shared_module());
    engine.register_iterator::<std::ops::Range<i64>>();
    engine.register_iterator::<std::ops::RangeInclusive<i64>>();
    engine.register_fn("..", |from: i64, to: i64| from..to);
    engine.register_fn("..=", |from: i64, to: i64| from..=to);
    register_views(&mut engine, words);
    register_types(&mut engine);
    register_signs(&mut engine);
    for word in WORDS.iter().filter(|word| word.takes.first().is_none_or(|take| !is_view(take.sort))) {
        register_word(&mut engine, words, word);
    }
    engine
}

/// An engine without words, with all limits set: it reads scripts, and runs nothing.
pub(crate) fn limited() -> Engine {
    let mut engine = Engine::new_raw();
    engine.set_max_operations(OPERATIONS_MAX);
    engine.set_max_call_levels(CALL_LEVELS_MAX);
    engine.set_max_expr_depths(EXPR_DEPTH_MAX, EXPR_DEPTH_MAX);
    engine.set_max_string_size(STRING_MAX);
    engine.set_max_array_size(ARRAY_MAX);
    engine.set_max_map_size(MAP_MAX);
    engine.set_max_variables(VARIABLES_MAX);
    engine.set_max_functions(FUNCTIONS_MAX);
    engine.set_max_strings_interned(256);
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    engine
}

fn is_view(sort: Sort) -> bool {
    matches!(
        sort,
        Sort::Ticket | Sort::First | Sort::Contract | Sort::Terms | Sort::Breach | Sort::Period | Sort::Again
    )
}

#[expect(deprecated, reason = "on_var is marked volatile, not deprecated; rhai is pinned")]
fn register_views(engine: &mut Engine, words: &Words) {
    engine.on_var(|name, _, context| {
        let inputs = || context.tag().read_lock::<Arc<Inputs>>().map(|inputs| Arc::clone(&inputs));
        let sort = GLOBALS.iter().find(|(names, _, _)| names.contains(&name)).map(|(_, sort, _)| *sort);
        Ok(match sort {
            Some(Sort::Terms) => inputs().map(|inputs| Dynamic::from(TermsView(inputs))),
            Some(_) => inputs().map(|inputs| Dynamic::from(ContractView(inputs))),
            None => None,
        })
    });
    // Known names by getters of their own: an indexer is asked only after rhai has written an error for the missing getter.
    for fact in &words.schema.facts {
        for name in std::iter::once(fact.name.clone()).chain(fact_zh(fact).map(|(zh, _)| zh.to_owned())) {
            let first = name.clone();
            engine.register_get(name.clone(), move |view: &mut TicketView| view.get(&name));
            engine.register_get(first.clone(), move |view: &mut FirstView| view.get(&first));
        }
    }
    for (place, term) in words.terms.list.iter().enumerate() {
        for name in std::iter::once(&*term.name).chain(term_zh(term)) {
            engine.register_get(name, move |view: &mut TermsView| view.at(place));
        }
    }
    for field in FIELDS {
        for name in field.names {
            match field.of {
                Sort::Ticket => engine.register_get(name, move |view: &mut TicketView| view.get(name)),
                Sort::Contract => engine.register_get(name, move |view: &mut ContractView| view.get(name)),
                Sort::Period => engine.register_get(name, move |view: &mut PeriodView| view.get(name)),
                Sort::Again => engine.register_get(name, move |view: &mut AgainView| view.get(name)),
                _ => engine.register_get(name, move |view: &mut BreachView| view.get(name)),
            };
        }
    }
    // Unknown names come here, to be told with the nearest known one.
    engine.register_indexer_get(|view: &mut TicketView, name: &str| view.get(name));
    engine.register_indexer_get(|view: &mut FirstView, name: &str| view.get(name));
    engine.register_indexer_get(|view: &mut ContractView, name: &str| view.get(name));
    engine.register_indexer_get(|view: &mut TermsView, name: &str| view.get(name));
    engine.register_indexer_get(|view: &mut BreachView, name: &str| view.get(name));
    engine.register_indexer_get(|view: &mut PeriodView, name: &str| view.get(name));
    engine.register_indexer_get(|view: &mut AgainView, name: &str| view.get(name));
    for name in ["within", "不超过"] {
        engine.register_fn(name, |view: &mut AgainView, period: Period| view.within(period));
    }
    for name in ["knew", "当时已知"] {
        engine.register_fn(name, |view: &mut TicketView, fact: &str, kind: &str| view.knew(fact, kind));
    }
    for name in ["knows", "已知"] {
        engine.register_fn(name, |view: &mut TicketView, name: &str| view.knows(name));
    }
    for name in ["has", "有"] {
        engine.register_fn(name, |view: &mut TicketView, kind: &str| view.has(kind));
        engine.register_fn(name, |view: &mut ContractView, kind: &str| view.has(kind));
    }
}

fn register_types(engine: &mut Engine) {
    engine
        .register_type_with_name::<TicketView>("ticket")
        .register_type_with_name::<FirstView>("first values of the ticket")
        .register_type_with_name::<ContractView>("contract")
        .register_type_with_name::<TermsView>("terms")
        .register_type_with_name::<BreachView>("breach")
        .register_type_with_name::<Money>("money")
        .register_type_with_name::<Span>("time")
        .register_type_with_name::<Period>("days")
        .register_type_with_name::<Share>("share")
        .register_type_with_name::<Instant>("instant")
        .register_type_with_name::<Due>("due")
        .register_type_with_name::<Step>("step")
        .register_type_with_name::<Verdict>("class")
        .register_type_with_name::<FindingText>("finding")
        .register_type_with_name::<Duty>("duty")
        .register_type_with_name::<Level>("service level")
        .register_type_with_name::<Cap>("cap")
        .register_type_with_name::<Arc<Tiers>>("table")
        .register_type_with_name::<PeriodView>("period")
        .register_type_with_name::<AgainView>("again");
}

/// The values of a call's arguments.
fn values(args: &[&mut Dynamic]) -> Answer<Vec<Value>> {
    let value =
        |arg: &&mut Dynamic| to_value(arg).map_or_else(|| fault(format!("{} is no value", name_of(arg))), Ok);
    args.iter().map(value).collect()
}

fn register_word(engine: &mut Engine, words: &Arc<Words>, word: &'static Word) {
    let mut shapes: Vec<Vec<TypeId>> = vec![word.takes.iter().map(|take| type_of(take.sort)).collect()];
    if let (true, Some((last, before))) = (word.repeats, word.takes.split_last()) {
        let before = || before.iter().map(|take| type_of(take.sort));
        for n in 2..=NAMES_MAX {
            shapes.push(before().chain(std::iter::repeat_n(type_of(last.sort), n)).collect());
        }
        shapes.push(before().chain([TypeId::of::<Array>()]).collect());
    }
    for name in word.names {
        for shape in &shapes {
            let words = Arc::clone(words);
            engine.register_raw_fn(name, shape, move |_, args| {
                (word.act)(&words, &mut values(args)?).map(to_dynamic).or_else(fault)
            });
        }
    }
}

fn register_signs(engine: &mut Engine) {
    for (left, sign, right, gives) in SIGNS {
        let types = [type_of(left), type_of(right)];
        let computed = move |args: &mut [&mut Dynamic]| match values(args)?.as_slice() {
            [a, b] => compute(sign, a, b).map(to_dynamic).or_else(fault),
            _ => fault(format!("`{}` takes two values", sign.text())),
        };
        engine.register_raw_fn(sign.text(), types, move |_, args| computed(args));
        // rhai's own `/=` would drop a remainder in silence.
        if left == gives {
            engine.register_raw_fn(format!("{}=", sign.text()), types, move |_, args| {
                let value = computed(args)?;
                if let Some(target) = args.first_mut() {
                    **target = value;
                }
                Ok(Dynamic::UNIT)
            });
        }
    }
    engine.register_fn("-", |n: i64| negate(n).map(to_dynamic).or_else(fault));
    engine.register_fn("!", |yes: bool| !yes);
    for relation in Relation::ALL {
        engine.register_fn(relation.text(), move |a: Dynamic, b: Dynamic| {
            match (to_value(&a), to_value(&b)) {
                (Some(a), Some(b)) => compare(relation, &a, &b).or_else(fault),
                _ => fault(format!("{} is compared with {}", name_of(&a), name_of(&b))),
            }
        });
    }
}
