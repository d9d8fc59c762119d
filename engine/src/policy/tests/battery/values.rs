//! Values: comparisons, signs, words, and what cannot be.

use super::{amount, applies, check, number};

#[test]
#[rustfmt::skip]
fn comparisons_of_every_type() {
    check(applies, &[
        ("ticket.seats == 7", "`true`"),
        ("ticket.seats != 7", "`false`"),
        ("ticket.seats < 8", "`true`"),
        ("ticket.seats <= 6", "`false`"),
        ("ticket.seats > 6", "`true`"),
        ("ticket.seats >= 8", "`false`"),
        (r#"ticket.amount == money("12.50")"#, "`true`"),
        ("ticket.amount < yuan(12)", "`false`"),
        ("ticket.in_scope == true", "`true`"),
        ("ticket.in_scope != ticket.visited", "`true`"),
        (r#"ticket.memo == "x""#, "`true`"),
        (r#""y" != ticket.备注"#, "`true`"),
        (r#"ticket.kind == "failure""#, "`true`"),
        (r#"ticket.类别 == "故障""#, "`true`"),
        (r#""紧急" == ticket.类别"#, "`false`"),
        ("ticket.kind == ticket.first.kind", "`true`"),
        ("ticket.memo == ticket.kind", "`false`"),
        ("terms.usual == ticket.cause", "`false`"),
        ("terms.half < minutes(1)", "`true`"),
        ("terms.plan > days(3)", "`true`"),
        ("terms.work == working_days(0)", "`true`"),
        ("weeks(1) >= terms.week", "`true`"),
        ("terms.speed != months(2)", "`true`"),
        ("years(3) < terms.warranty", "`true`"),
        (r#"terms.split >= percent("99.99")"#, "`true`"),
        ("ticket.reported_at < ticket.plan_due", "`true`"),
        ("contract.signed_at == ticket.plan_due", "`false`"),
        (r#"ticket.via == "phone""#, "`true`"),
        (r#"ticket.id == "T-1""#, "`true`"),
        (r#"ticket.knows("seats")"#, "`true`"),
        (r#"已知(ticket, "类别")"#, "`true`"),
        (r#"contract.has("signed")"#, "`true`"),
        (r#"合同.有("项目已验收")"#, "`false`"),
        ("terms.auto", "`false`"),
        ("terms.strict && !terms.auto", "`true`"),
    ]);
}

#[test]
#[rustfmt::skip]
fn joined_conditions_stop_early() {
    check(applies, &[
        ("false && hours(terms.limit) == hours(1)", "`false`"),
        ("true || hours(terms.limit) == hours(1)", "`true`"),
        ("true && hours(terms.limit) == hours(1)", "1:30 -9223372036854775808 is too long a time"),
        ("!ticket.in_scope || ticket.in_scope && true", "`true`"),
        ("ticket.seats == 1 || ticket.seats == 7 || hours(terms.limit) == hours(1)", "`true`"),
        ("if ticket.in_scope { false } else { true }", "`false`"),
        ("if ticket.visited { true } else if terms.auto { true } else { ticket.seats > 2 }", "`true`"),
    ]);
}

#[test]
#[rustfmt::skip]
fn numbers() {
    check(number, &[
        ("ticket.seats + 3", "the amount 10.00 CNY"),
        ("ticket.seats - 10", "the amount -3.00 CNY"),
        ("ticket.seats * ticket.students", "the amount 280.00 CNY"),
        ("ticket.seats % 4", "the amount 3.00 CNY"),
        ("-ticket.seats", "the amount -7.00 CNY"),
        ("- -ticket.seats", "the amount 7.00 CNY"),
        ("6 / 3", "the amount 2.00 CNY"),
        ("-7 % 4", "the amount -3.00 CNY"),
        ("0x10 + 1_000", "the amount 1016.00 CNY"),
        ("+5", "the amount 5.00 CNY"),
        ("min(ticket.seats, 3)", "the amount 3.00 CNY"),
        ("max(ticket.seats, 3)", "the amount 7.00 CNY"),
        ("ticket.seats.较小者(terms.tiers)", "the amount 0.00 CNY"),
        ("较大者(terms.later, 1)", "the amount 3.00 CNY"),
        ("started(hours(5), hours(2))", "the amount 3.00 CNY"),
        ("full(hours(5), hours(2))", "the amount 2.00 CNY"),
        ("terms.response.started(minutes(3))", "the amount 4.00 CNY"),
        ("满一计一(terms.响应期限, 分钟(3))", "the amount 3.00 CNY"),
        ("minutes(ticket.seats).不足计一(hours(1))", "the amount 1.00 CNY"),
        ("(ticket.plan_due - contract.signed_at).full(hours(24))", "the amount 30.00 CNY"),
        ("{ let x = 1; x += 2; x *= 5; x -= 1; x %= 8; x }", "the amount 6.00 CNY"),
        ("{ let x = ticket.seats; let y = x; x = 0; y }", "the amount 7.00 CNY"),
        ("if ticket.in_scope { 1 } else { 2 }", "the amount 1.00 CNY"),
        ("switch ticket.seats { 7 => 1, _ => 0 }", "the amount 1.00 CNY"),
    ]);
}

#[test]
#[rustfmt::skip]
fn numbers_that_have_no_answer() {
    check(number, &[
        ("terms.limit + terms.limit", "1:28 the sum -9223372036854775808 + -9223372036854775808 is too large a number"),
        ("terms.limit - 1", "1:28 the difference -9223372036854775808 - 1 is too large a number"),
        ("terms.limit * 2", "1:28 the product -9223372036854775808 * 2 is too large a number"),
        ("-terms.limit", "1:16 the opposite of -9223372036854775808 is too large a number"),
        ("ticket.seats % (ticket.seats - 7)", "1:29 7 cannot be divided by 0"),
        ("terms.limit % (ticket.seats - 8)", "1:28 -9223372036854775808 cannot be divided by -1"),
        ("9223372036854775807 + 1", "E0209 1:36"),
        ("-9223372036854775807 - 2", "E0209 1:37"),
        ("5 / 2", "E0203 1:18"),
        ("1 / 0", "E0209 1:18"),
        ("1 % 0", "E0209 1:18"),
        ("ticket.seats / 7", "E0203 1:29"),
        ("started(terms.response, hours(ticket.seats - 7))", "1:16 the unit of `started` and `full` must be longer than nothing"),
        ("full(terms.response, seconds(0))", "1:16 the unit of `started` and `full` must be longer than nothing"),
        ("started(hours(1), seconds(0))", "E0209 1:16"),
    ]);
}

#[test]
#[rustfmt::skip]
fn money() {
    check(amount, &[
        ("yuan(5)", "the amount 5.00 CNY"),
        (r#"元("0.50")"#, "the amount 0.50 CNY"),
        (r#"money("-12.50")"#, "the amount -12.50 CNY"),
        (r#"金额("92233720368547758.07")"#, "the amount 92233720368547758.07 CNY"),
        ("terms.fee", "the amount 0.01 CNY"),
        ("约定.费用", "the amount 0.01 CNY"),
        ("ticket.amount + yuan(1)", "the amount 13.50 CNY"),
        ("ticket.amount - yuan(20)", "the amount -7.50 CNY"),
        ("ticket.amount * 3", "the amount 37.50 CNY"),
        ("3 * ticket.amount", "the amount 37.50 CNY"),
        (r#"percent(5).of(yuan(1), "half_up")"#, "the amount 0.05 CNY"),
        (r#"percent(5).of(yuan("0.10"), "half_up")"#, "the amount 0.01 CNY"),
        (r#"percent(5).of(yuan("0.10"), "half_even")"#, "the amount 0.00 CNY"),
        (r#"percent(5).of(yuan("0.10"), "down")"#, "the amount 0.00 CNY"),
        (r#"百分之(5).乘以(元("0.10"), "进一")"#, "the amount 0.01 CNY"),
        (r#"of(terms.split, ticket.amount, "舍去")"#, "the amount 12.50 CNY"),
        (r#"percent("2.5").of(ticket.amount, "四舍六入五成双")"#, "the amount 0.31 CNY"),
        ("min(ticket.amount, yuan(3))", "the amount 3.00 CNY"),
        ("较大者(ticket.amount, yuan(3))", "the amount 12.50 CNY"),
        ("{ let sum = yuan(0); for i in 1..=3 { sum += ticket.amount * i; } sum }", "the amount 75.00 CNY"),
        ("{ let sum = yuan(1); sum -= yuan(2); sum *= 4; sum }", "the amount -4.00 CNY"),
        ("yuan(ticket.seats)", "the amount 7.00 CNY"),
    ]);
}

#[test]
#[rustfmt::skip]
fn money_that_cannot_be() {
    check(amount, &[
        ("yuan(-terms.limit - 1)", "1:72 the opposite of -9223372036854775808 is too large a number"),
        ("yuan(terms.limit)", "1:67 an amount leaves the range of 64-bit minor units"),
        ("terms.cap * terms.limit", "1:77 an amount leaves the range of 64-bit minor units"),
        ("terms.floor * terms.limit", "1:79 an amount leaves the range of 64-bit minor units"),
        ("terms.limit * terms.fee", "the amount -92233720368547758.08 CNY"),
        (r#"terms.rate.of(terms.cap, "up")"#, "1:78 an amount leaves the range of 64-bit minor units"),
        (r#"percent(terms.limit).of(terms.cap, "half_up")"#, "1:88 an amount leaves the range of 64-bit minor units"),
        (r#"money("92233720368547758.07") + yuan(1)"#, "E0209 1:97"),
        (r#"yuan("0.001")"#, "E0209 1:72"),
        (r#"yuan("x")"#, "E0209 1:72"),
        (r#"percent("x").of(yuan(1), "up")"#, "E0209 1:75"),
        ("terms.fee * percent(5)", "E0204 1:77"),
        ("terms.fee + 1", "E0201 1:77"),
        ("terms.fee / 2", "E0203 1:77"),
        (r#"percent(5).of(terms.fee, "sideways")"#, "E0113 1:92"),
        ("percent(5).of(terms.fee)", "E0204 1:78"),
    ]);
}

#[test]
#[rustfmt::skip]
fn lateness() {
    check(amount, &[
        ("if breach.late > hours(2) { yuan(1) } else { yuan(2) }", "the amount 1.00 CNY, late"),
        ("terms.fee * breach.late.started(hours(1))", "the amount 0.03 CNY, late"),
        ("terms.fee * 满一计一(违约.逾期, 小时(1))", "the amount 0.03 CNY, late"),
        ("terms.fee * breach.late.full(seconds(ticket.seats - 7))", "1:91 the unit of `started` and `full` must be longer than nothing"),
        (r#"if breach.clock == "repair" { yuan(1) } else { yuan(2) }"#, "the amount 1.00 CNY"),
        ("if breach.due == ticket.reported_at { yuan(1) } else { yuan(2) }", "the amount 1.00 CNY"),
        (r#"if breach.ticket.kind == "failure" { yuan(1) } else { yuan(2) }"#, "the amount 1.00 CNY"),
        ("if (breach.late - hours(3)) * 2 == hours(0) { yuan(1) } else { yuan(2) }", "the amount 1.00 CNY, late"),
        ("breach.late + (ticket.plan_due - ticket.reported_at)", "E0201 1:79"),
    ]);
}

#[test]
#[rustfmt::skip]
fn times_and_instants() {
    check(applies, &[
        ("ticket.reported_at.plus(days(1)) == ticket.plan_due", "`true`"),
        ("contract.signed_at.加上(工作日(3)) > ticket.reported_at", "`false`"),
        ("contract.accepted_at.plus(weeks(1)) > ticket.reported_at", "1:31 `contract.accepted_at` is not known: no `project_accepted` event of the contract has come"),
        ("ticket.reported_at.plus(months(1)) > ticket.plan_due", "`true`"),
        ("ticket.reported_at.plus(years(8000)) > ticket.plan_due", "1:41 year 10026 is outside 1900 to 2299, the years a calendar covers"),
        ("ticket.reported_at.plus(terms.work) > ticket.plan_due", "1:41 a count of 0 has no last day: expected 1 or more"),
        ("ticket.reported_at.plus(terms.plan) > ticket.plan_due", "1:41 year 262142 is outside 1900 to 2299, the years a calendar covers"),
        ("ticket.plan_due - ticket.reported_at > hours(1)", "`true`"),
        ("ticket.reported_at + hours(2) > ticket.plan_due", "`false`"),
        ("ticket.reported_at + hours(terms.limit) > ticket.plan_due", "1:43 -9223372036854775808 is too long a time"),
        ("ticket.reported_at + terms.repair * 2000 > ticket.plan_due", "1:56 a time overflows"),
        ("hours(ticket.seats) + minutes(1) - seconds(1) > hours(7)", "`true`"),
        ("terms.repair * terms.limit > hours(1)", "1:35 a time overflows"),
        ("hours(2000000000) + terms.repair > hours(1)", "1:40 a time overflows"),
        ("terms.repair - hours(2000000000) * 2 < hours(0)", "E0209 1:55"),
        ("hours(ticket.seats - 8) > hours(1)", "1:22 a length of time is zero or more, not -1"),
        ("days(ticket.seats - 8) > days(1)", "1:22 a period is zero or more days, not -1"),
        ("weeks(terms.limit) > weeks(1)", "1:22 a period is zero or more days, not -9223372036854775808"),
        ("hours(-1) > hours(1)", "E0209 1:22"),
        ("days(4294967296) > days(1)", "E0209 1:22"),
        ("ticket.reported_at - hours(1) < ticket.plan_due", "E0201 1:41"),
        ("ticket.reported_at + breach < ticket.plan_due", "E0105 1:43"),
        ("days(1) < weeks(1)", "E0202 1:30"),
        ("terms.plan < terms.work", "E0202 1:33"),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_is_not_known() {
    check(applies, &[
        ("ticket.seats == 7 && ticket.paid_by == yuan(1)", "1:50 the fact `paid_by` is not known: no event of the ticket has given it"),
        ("ticket.paid_by == yuan(1) && ticket.seats == 7", "1:29 the fact `paid_by` is not known: no event of the ticket has given it"),
        ("ticket.首次.paid_by == yuan(1)", "1:32 the fact `paid_by` is not known: no event of the ticket has given it"),
        (r#"ticket.knows("paid_by")"#, "`false`"),
        ("contract.signed_at.plus(days(terms.limit)) == contract.accepted_at", "1:46 a period is zero or more days, not -9223372036854775808"),
        ("contract.signed_at.plus(days(ticket.seats - 9)) < ticket.plan_due", "1:46 a period is zero or more days, not -2"),
        ("contract.signed_at < ticket.plan_due.plus(days(ticket.seats - 9))", "1:64 a period is zero or more days, not -2"),
        ("ticket.paid_by * terms.limit == terms.fee * terms.limit", "1:29 the fact `paid_by` is not known: no event of the ticket has given it"),
        ("min(ticket.paid_by, terms.cap * 2) == yuan(0)", "1:33 the fact `paid_by` is not known: no event of the ticket has given it"),
        ("hours(ticket.seats) == hours(terms.limit) && terms.auto", "1:45 -9223372036854775808 is too long a time"),
    ]);
}
