//! Duties, service levels, caps, credits and repetitions; tables; what a ticket knew.

use super::{applies, caps, check, credit, deadlines, duties, findings, levels, repeated, whole};

#[test]
#[rustfmt::skip]
fn duties_in_every_order() {
    check(duties, &[
        (r#"duty("a").every("FREQ=DAILY").within(hours(4))"#, r#"[a Every("FREQ=DAILY") Signed Span(Span(14400000000)) Span(0) None []]"#),
        (r#"一项义务("a").不超过(天(3)).仅一次().起算于("项目已验收")"#, "[a Once Accepted Period(Period { unit: Days, n: 3 }) Span(0) None []]"),
        (r#"within(once(duty("a")), terms.plan)"#, "[a Once Signed Period(Period { unit: Days, n: 4294967295 }) Span(0) None []]"),
        (r#"duty("a").early(terms.half).in_calendar(terms.calendar).needs("seats", "范围内").needs(["kind"]).once().within(weeks(1))"#, "[a Once Signed Period(Period { unit: Weeks, n: 1 }) Span(0) Some(0) [8, 2, 3]]"),
        (r#"duty("a").every(terms.rhythm).within(terms.repair)"#, r#"[a Every("FREQ=DAILY") Signed Span(Span(7200000000000000000)) Span(0) None []]"#),
        (r#"duty("a").once().every("FREQ=DAILY").within(hours(terms.limit))"#, "1:60 -9223372036854775808 is too long a time"),
        (r#"duty("a").once().within(hours(terms.limit)).early(hours(1) - terms.repair)"#, "1:40 -9223372036854775808 is too long a time"),
        (r#"duty("a").once().early(hours(1) - terms.repair).within(hours(terms.limit))"#, "1:71 -9223372036854775808 is too long a time"),
        (r#"duty("a").once().early(hours(1) - terms.repair).within(hours(1))"#, "1:33 a length of time is zero or more, not -1999999999 h"),
        (r#"duty("a").once().early(hours(1) - hours(2)).within(hours(1))"#, "E0209 1:33"),
        (r#"duty("a").once().early(days(1)).within(hours(1))"#, "E0205 1:39"),
        (r#"duty("a").every("").within(hours(1))"#, "E0607 1:32"),
        (r#"duty("a").every(terms.label).within(hours(1))"#, "E0604 1:32"),
        (r#"duty("a").once()"#, "E0606 1:16"),
        (r#"duty("a").within(hours(1))"#, "E0606 1:16"),
        (r#"duty("a").within(terms.plan)"#, "E0606 1:16"),
        (r#"duty("a").once().within(days(1)), duty("a").once().within(terms.plan)"#, "E0601 1:55"),
        (r#"duty("b").once().within(days(1)), if terms.auto { duty("a").once().within(days(1)) } else { duty("b").once().within(days(1)) }"#, "[b Once Signed Period(Period { unit: Days, n: 1 }) Span(0) None [], b Once Signed Period(Period { unit: Days, n: 1 }) Span(0) None []]"),
        (r#"duty("b").once().within(days(1)), if terms.auto { duty("b").once().within(days(2)) } else { duty("b").once().within(days(1)) }"#, "E0601 1:71"),
        (r#"if terms.auto { duty("a").once() } else { duty("a").once().within(days(1)) }"#, "E0606 1:32"),
        (r#"(if terms.auto { duty("a") } else { duty("b").once() }).within(terms.plan)"#, "E0606 1:33"),
        (r#"switch terms.auto { true => duty("a").within(days(1)), false => duty("b").once().within(days(1)) }"#, "E0606 1:44"),
        (r#"duty("a").once().within(days(1)).needs("saets")"#, "E0101 1:55"),
        (r#"duty("a").once().within(days(1)).starts_on("closed")"#, "E0106 1:59"),
        (r#"duty("a").once().within(days(1)).in_calendar("wrk")"#, "E0107 1:61"),
        (r#"duty("a").once().within(days(1)).met_by("closed")"#, "E0205 1:16"),
        (r#"due("a").within(days(1)).met_by("closed")"#, "E0206 1:4"),
    ]);
}

#[test]
#[rustfmt::skip]
fn service_levels() {
    check(levels, &[
        (r#"availability("a")"#, "[a Availability(None) Announced(Span(0)) Month Signed None None None]"),
        (r#"可用率("a").针对服务("web").须提前公告(小时(72)).按季().结算期(天(5))"#, r#"[a Availability(Some("web")) Announced(Span(259200000000)) Quarter Signed Some(Period(Period { unit: Days, n: 5 })) None None]"#),
        (r#"availability("a").planned_counts().over_months(12).in_calendar("work").starts_on("signed")"#, "[a Availability(None) Counts Months(12) Signed None Some(1) None]"),
        (r#"availability("a").of_service(terms.label).over_months(terms.later).earned_back(3, percent("99.95"))"#, r#"[a Availability(Some("")) Announced(Span(0)) Months(3) Signed None None Some((3, 0.9995))]"#),
        (r#"in_time("a", "repair", "响应").per_year().earned_back(terms.later, terms.split)"#, r#"[a InTime(["repair", "响应"]) Announced(Span(0)) Year Signed None None Some((3, 1))]"#),
        (r#"in_time("a", ["repair"]).settles_after(terms.repair).按月()"#, r#"[a InTime(["repair"]) Announced(Span(0)) Month Signed Some(Span(Span(7200000000000000000))) None None]"#),
        (r#"availability("a").over_months(0)"#, "E0209 1:42"),
        (r#"availability("a").over_months(terms.tiers)"#, "1:42 expected 1 to 120, not 0"),
        (r#"availability("a").over_months(121)"#, "E0209 1:42"),
        (r#"availability("a").earned_back(terms.limit, percent(99))"#, "1:42 expected 1 to 120, not -9223372036854775808"),
        (r#"availability("a").settles_after(hours(1) - terms.repair)"#, "1:42 a length of time is zero or more, not -1999999999 h"),
        (r#"in_time("a", "b").of_service("web")"#, "E0209 1:42"),
        (r#"in_time("a", "b").announced(terms.repair)"#, "E0209 1:42"),
        (r#"in_time("a", "b").over_months(terms.later).planned_counts()"#, "E0209 1:67"),
        (r#"in_time("a", "b").over_months(terms.later).of_service(terms.label)"#, "E0209 1:67"),
        (r#"(if terms.auto { in_time("a", "b") } else { availability("a") }).announced(hours(2))"#, "E0209 1:89"),
        (r#"in_time("a", terms.label)"#, "E0604 1:37"),
        (r#"in_time("a")"#, "E0205 1:24"),
        (r#"availability("a"), in_time("a", "b")"#, "E0601 1:51"),
        (r#"availability("a").earned_back(percent(99), 3)"#, "E0205 1:54"),
    ]);
}

#[test]
#[rustfmt::skip]
fn caps_in_their_order() {
    check(caps, &[
        ("cap_per_month(yuan(5)), cap_in_all(terms.fee)", "[Month 5.00 CNY None, Contract 0.01 CNY None]"),
        (r#"每单封顶(元(5)).适用条款("1", "2"), 每季封顶(约定.费用), 每年封顶(元(1))"#, r#"[Ticket 5.00 CNY Some(["1", "2"]), Quarter 0.01 CNY None, Year 1.00 CNY None]"#),
        (r#"cap_over_months(12, yuan(5)).for_clauses(["1"]), 12.连续数月封顶(元(1))"#, r#"[Months(12) 5.00 CNY Some(["1"]), Months(12) 1.00 CNY None]"#),
        (r#"for_clauses(cap_per_ticket(terms.fee), "1").for_clauses("2")"#, r#"[Ticket 0.01 CNY Some(["2"])]"#),
        ("cap_over_months(terms.later, terms.fee)", "[Months(3) 0.01 CNY None]"),
        ("cap_over_months(terms.tiers, terms.fee)", "1:14 expected 1 to 120, not 0"),
        ("cap_over_months(0, yuan(5))", "E0209 1:14"),
        ("cap_per_month(terms.fee - yuan(1))", "1:14 a cap of -0.99 CNY: expected zero or more"),
        ("cap_per_month(yuan(-1))", "E0209 1:14"),
        ("cap_per_month(5)", "E0205 1:28"),
        ("cap_per_month(yuan(5)).for_clauses(terms.label)", "E0604 1:49"),
        ("cap_per_month(yuan(5)).for_clauses()", "E0205 1:37"),
        ("yuan(5)", "E0206 1:4"),
    ]);
}

#[test]
#[rustfmt::skip]
fn credits_of_a_period() {
    check(credit, &[
        ("level.invoiced", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 1000.00 CNY"),
        (r#"terms.credits.at(level.share).of(level.invoiced, "half_up")"#, "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 50.00 CNY"),
        (r#"约定.次数表.对应(level.未达标数).乘以(level.开票金额, "四舍五入")"#, "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 50.00 CNY"),
        ("terms.sums.at(level.share)", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 0.01 CNY"),
        ("at(terms.fines, level.missed + 1)", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 200.00 CNY"),
        ("let t = terms.fines; t.at(level.total)", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 200.00 CNY"),
        ("(if level.met > 3 { terms.sums } else { terms.sums }).at(percent(99))", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 0.01 CNY"),
        (r#"yuan((percent(100) - level.share).started(percent("0.2")))"#, "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 3.00 CNY"),
        (r#"yuan(满一计一(百分之(100) - level.达标率, 百分之("0.2")))"#, "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 2.00 CNY"),
        ("yuan((level.share - percent(100)).started(percent(1)))", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 0.00 CNY"),
        ("yuan(level.share.full(terms.split - percent(100)))", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; 1:86 the unit of `started` and `full` must be more than nothing"),
        ("yuan(level.share.full(terms.split))", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 0.00 CNY"),
        ("if level.share * 2 > percent(199) { yuan(1) } else { yuan(2) }", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 2.00 CNY"),
        ("if level.share * level.share + percent(1) < level.share { yuan(1) } else { yuan(2) }", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 2.00 CNY"),
        ("if level.share * terms.rate > percent(1) { yuan(1) } else { yuan(2) }", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 1.00 CNY"),
        ("terms.fee * level.downtime.started(hours(2))", "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 0.02 CNY"),
        (r#"if level.name == "repair" && level.from < level.end { yuan(1) } else { yuan(2) }"#, "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 1.00 CNY"),
        (r#"switch level.name { "repair" => yuan(3) }"#, "[repair Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 3.00 CNY"),
        (r#"if level.名称 == "b" { yuan(1) } else { yuan(2) }"#, "E0104 1:84"),
        ("terms.sums.at(level.missed)", "E0205 1:83"),
        ("terms.fines.at(level.share)", "E0205 1:84"),
        ("terms.credits.at(level.share)", "E0206 1:53"),
        ("if terms.credits == terms.credits { yuan(1) } else { yuan(2) }", "E0202 1:86"),
        ("if level.share > 5 { yuan(1) } else { yuan(2) }", "E0202 1:84"),
        ("level.invoiced + level.share", "E0201 1:84"),
        ("level.invoiced * level.share", "E0204 1:84"),
        (r#"level.shar.of(level.invoiced, "up")"#, "E0101 1:75"),
        ("level.ticket.amount", "E0101 1:75"),
        ("terms.fee * level.downtime.started(level.end - level.from)", "E0201 1:96"),
    ]);
}

#[test]
#[rustfmt::skip]
fn repetitions() {
    check(repeated, &[
        ("again.amount * again.within(days(30))", "the amount 0.00 CNY; the amount 5.00 CNY"),
        ("前例.amount", "E0105 1:22"),
        ("again.金额 * 不超过(again, 周(2))", "the amount 0.00 CNY; the amount 5.00 CNY"),
        ("again.amount * again.within(terms.plan)", "the amount 0.00 CNY; the amount 5.00 CNY"),
        ("again.amount * again.within(terms.week)", "the amount 0.00 CNY; the amount 5.00 CNY"),
        ("again.amount * again.within(days(terms.limit))", "the amount 0.00 CNY; 1:50 a period is zero or more days, not -9223372036854775808"),
        ("let days = if terms.auto { terms.plan } else { days(3) }; again.amount * again.within(days)", "the amount 0.00 CNY; the amount 5.00 CNY"),
        ("again.amount * again.within(months(1))", "E0201 1:50"),
        ("again.amount * again.within(terms.speed)", "E0201 1:50"),
        ("again.amount * again.within(if terms.auto { terms.speed } else { terms.plan })", "E0201 1:50"),
        ("again.amount * again.within(hours(2))", "E0205 1:50"),
        (r#"if again.clock == "x" && again.at > contract.signed_at { again.amount } else { yuan(0) }"#, "the amount 0.00 CNY; the amount 0.00 CNY"),
        ("again.amount * again.count", "E0101 1:43"),
        ("again", "E0206 1:4"),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_a_ticket_knew() {
    check(findings, &[
        (r#"ticket.knew("seats", "closed")"#, "[found yes]"),
        (r#"当时已知(ticket, "人数", "已结案")"#, "[found yes]"),
        (r#"ticket.knew("seats", "resolved")"#, "[]"),
        (r#"ticket.knew("seats", "reported")"#, "[found yes]"),
        (r#"ticket.knew("saets", "closed")"#, "E0101 1:38"),
        (r#"ticket.knew("seats", "signed")"#, "E0106 1:47"),
        (r#"ticket.knew(ticket.memo, "closed")"#, "E0604 1:38"),
        (r#"ticket.first.knew("seats", "closed")"#, "E0205 1:26"),
    ]);
    check(applies, &[(r#"ticket.knew("seats", "closed")"#, "E0511 1:29")]);
}

#[test]
#[rustfmt::skip]
fn deadlines_before_an_instant_and_pauses_with_an_end() {
    check(deadlines, &[
        (r#"due("a").before("plan_due", days(3)).met_by("closed")"#, "[a [Kind(0)] Before(7, Period { unit: Days, n: 3 }) [Kind(14)] None None]"),
        (r#"due("a").within(terms.plan).早于("方案日期", terms.work).met_by("closed")"#, "[a [Kind(0)] Before(7, Period { unit: WorkingDays, n: 0 }) [Kind(14)] None None]"),
        (r#"due("a").before("plan_due", terms.work).within(terms.plan).met_by("closed")"#, "[a [Kind(0)] Period(Period { unit: Days, n: 4294967295 }) [Kind(14)] None None]"),
        (r#"due("a").within(days(1)).met_by("closed").pauses().pauses_at_most(hours(48))"#, "[a [Kind(0)] Period(Period { unit: Days, n: 1 }) [Kind(14)] None Some([]) 48 h]"),
        (r#"due("a").within(hours(terms.limit)).met_by("closed").暂停不超过(hours(0) - terms.repair)"#, "1:41 -9223372036854775808 is too long a time"),
        (r#"due("a").pauses_at_most(hours(0) - terms.repair).within(hours(terms.limit)).met_by("closed")"#, "1:81 -9223372036854775808 is too long a time"),
        (r#"due("a").pauses_at_most(hours(0) - terms.repair).within(terms.plan).met_by("closed")"#, "1:34 pauses last zero or more, not -2000000000 h"),
        (r#"due("a").within(days(1)).met_by("closed").pauses_at_most(hours(1) - hours(2))"#, "E0209 1:67"),
        (r#"due("a").before("seats", days(3)).met_by("closed")"#, "E0205 1:41"),
        (r#"due("a").before("plan_due", hours(3)).met_by("closed")"#, "E0205 1:53"),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_stands_together() {
    check(whole, &[
        (r#"fn duties() { [duty("a").once().within(days(1))] } fn penalty(breach) { if breach.clock == "a" { terms.fee * breach.late.started(hours(1)) } else { yuan(0) } }"#, "the amount 0.00 CNY; [a Once Signed Period(Period { unit: Days, n: 1 }) Span(0) None []]"),
        (r#"fn duties() { [duty("a").once().within(days(1))] } fn penalty(breach) { breach.ticket.amount }"#, "E0101 1:80"),
        (r#"fn duties() { [duty("a").once().within(days(1))] } fn penalty(breach) { if breach.clock == "b" { yuan(1) } else { yuan(0) } }"#, "E0104 1:92"),
        (r#"fn duties() { [duty("a").once().within(days(1))] } fn deadlines(t) { [due("b").within(days(1)).met_by("closed")] }"#, "E0111 1:4"),
        (r#"fn duties() { [duty("a").once().within(days(1))] } fn escalation(t) { [at_breach("a").notify("lead")] }"#, "E0110 1:82"),
        ("fn credit(level) { level.invoiced }", "E0111 1:4"),
        ("fn repeated(again) { again.amount }", "E0111 1:4"),
        (r#"fn duties() { let d = duty("a"); if terms.auto { d = d.once(); } [d.within(days(1))] }"#, r#"[a Every("") Signed Period(Period { unit: Days, n: 1 }) Span(0) None []]"#),
        (r#"fn duties() { let d = duty("a").early(terms.half); [d.within(terms.plan)] }"#, "E0606 1:23"),
        (r#"fn service_levels() { let l = in_time("a", "b").over_months(terms.later); [l.announced(hours(2))] }"#, "E0209 1:78"),
        ("fn caps() { [] } fn service_levels() { [] } fn 义务() { [] }", "[]; []; []"),
        ("fn caps(x) { [] }", "E0111 1:4"),
        ("fn repeated() { yuan(1) }", "E0111 1:4"),
        (r#"fn often(d, n) { d.every("FREQ=DAILY").within(n) } fn duties() { [often(duty("a"), days(1)), often(duty("b").early(hours(1)), terms.plan)] }"#, r#"[a Every("FREQ=DAILY") Signed Period(Period { unit: Days, n: 1 }) Span(0) None [], b Every("FREQ=DAILY") Signed Period(Period { unit: Days, n: 4294967295 }) Span(3600000000) None []]"#),
        (r#"fn duties() { let d = duty("a"); let e = d.once(); [e.within(days(1)), duty("b").once().within(d_long())] } fn d_long() { terms.plan }"#, "[a Once Signed Period(Period { unit: Days, n: 1 }) Span(0) None [], b Once Signed Period(Period { unit: Days, n: 4294967295 }) Span(0) None []]"),
        (r#"fn deadlines(t) { [due("a").within(days(1)).met_by("closed")] } fn repeated(r) { switch r.clock { "a" => r.amount, "portal" => yuan(1) } } fn service_levels() { [availability("portal")] } fn credit(l) { l.invoiced }"#, "[a [Kind(0)] Period(Period { unit: Days, n: 1 }) [Kind(14)] None None]; [portal Availability(None) Announced(Span(0)) Month Signed None None None]; the amount 1000.00 CNY; nothing"),
    ]);
}
