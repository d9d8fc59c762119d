//! The one table of the vocabulary: it drives registration with rhai, checking, and the reference page.

use super::acts::{self, Act};
use super::value::Sort;

/// What a text argument names, for texts that must be written out and known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Any words, for people.
    Prose,
    /// A clock being set.
    NewClock,
    /// A clock that the clause sets.
    Clock,
    /// An event of a ticket.
    Event,
    /// An event of the contract that `contract.has` answers for.
    ContractEvent,
    /// Why time stands still; as events give it.
    Reason,
    Role,
    Calendar,
    Fact,
    /// A fact that is an instant.
    Date,
    Rounding,
    /// An amount of the contract's currency.
    Amount,
    /// A number of percent.
    Percent,
    /// A recurrence rule (RFC 5545).
    Recurrence,
    /// A clock that some clause of the pack sets.
    PackClock,
    /// A clause of the pack.
    Clause,
}

/// One parameter of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Take {
    pub(crate) sort: Sort,
    pub(crate) names: Names,
    pub(crate) called: &'static str,
}

/// A word of the language.
pub(crate) struct Word {
    /// English and Chinese.
    pub(crate) names: [&'static str; 2],
    pub(crate) takes: &'static [Take],
    /// The last parameter may be given up to six times, or as one list.
    pub(crate) repeats: bool,
    pub(crate) gives: Sort,
    pub(crate) act: Act,
    /// What it costs, in operations of the budget that a clause has.
    pub(crate) cost: u16,
    /// English and Chinese.
    pub(crate) doc: [&'static str; 2],
    pub(crate) example: &'static str,
}

/// Something to ask a ticket, the contract or a breach for, without parameters.
pub(crate) struct Field {
    pub(crate) of: Sort,
    /// English and Chinese.
    pub(crate) names: [&'static str; 2],
    pub(crate) gives: Sort,
    pub(crate) what: Asked,
    pub(crate) doc: [&'static str; 2],
}

/// What a [`Field`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    First,
    ReportedAt,
    Via,
    Id,
    SignedAt,
    AcceptedAt,
    Clock,
    Due,
    Late,
    Ticket,
    Of(Measured),
}

/// What can be asked of a closed period, or of a penalty in view of earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Measured {
    Name,
    From,
    Until,
    Share,
    Total,
    Met,
    Missed,
    Downtime,
    Invoiced,
    AgainClock,
    AgainAt,
    AgainAmount,
}

/// A function that a clause file may define.
pub(crate) struct Entry {
    /// English and Chinese.
    pub(crate) names: [&'static str; 2],
    /// What it is given, if anything.
    pub(crate) takes: Option<Sort>,
    pub(crate) gives: Sort,
    /// What its list holds, when it gives one.
    pub(crate) of: Sort,
    /// What it must give, in a message.
    pub(crate) expected: &'static str,
    pub(crate) doc: [&'static str; 2],
}

const fn plain(sort: Sort, called: &'static str) -> Take {
    Take { sort, names: Names::Prose, called }
}

const fn name(names: Names, called: &'static str) -> Take {
    Take { sort: Sort::Text, names, called }
}

const N: &[Take] = &[plain(Sort::Count, "n")];
const TIME_AND_UNIT: &[Take] = &[plain(Sort::Time, "time"), plain(Sort::Time, "unit")];
const TWO_SHARES: &[Take] = &[plain(Sort::Share, "share"), plain(Sort::Share, "unit")];
const TWO_AMOUNTS: &[Take] = &[plain(Sort::Money, "a"), plain(Sort::Money, "b")];
const TWO_COUNTS: &[Take] = &[plain(Sort::Count, "a"), plain(Sort::Count, "b")];
const DEADLINE: Take = plain(Sort::Deadline, "deadline");
const STEP: Take = plain(Sort::Step, "step");
const TICKET: Take = plain(Sort::Ticket, "ticket");
const CLOCK: Take = name(Names::Clock, "clock");
const DUTY: Take = plain(Sort::Duty, "duty");
const LEVEL: Take = plain(Sort::Level, "level");
const CAP: Take = plain(Sort::Cap, "cap");
const LIMIT: &[Take] = &[plain(Sort::Money, "limit")];
const MONTHS: Take = plain(Sort::Count, "months");

/// A row: names, parameters, result, act, cost, explanations, example.
macro_rules! word {
    ($en:literal $zh:literal $takes:expr => $gives:ident, $act:ident, $cost:literal, $doc:literal, $doc_zh:literal, $example:literal) => {
        word!($en $zh $takes => $gives, $act, $cost, $doc, $doc_zh, $example, false)
    };
    ($en:literal $zh:literal $takes:expr => $gives:ident, $act:ident, $cost:literal, $doc:literal, $doc_zh:literal, $example:literal, $repeats:literal) => {
        Word {
            names: [$en, $zh],
            takes: $takes,
            repeats: $repeats,
            gives: Sort::$gives,
            act: acts::$act,
            cost: $cost,
            doc: [$doc, $doc_zh],
            example: $example,
        }
    };
}

/// All words.
#[rustfmt::skip]
pub(crate) const WORDS: &[Word] = &[
    word!("seconds" "秒" N => Time, seconds, 1, "So many seconds.", "若干秒。", "seconds(30)"),
    word!("minutes" "分钟" N => Time, minutes, 1, "So many minutes.", "若干分钟。", "minutes(10)"),
    word!("hours" "小时" N => Time, hours, 1, "So many hours; on a calendar, hours in which it is open.", "若干小时；期限按日历计时的，只计日历上的工作时间。", "hours(2)"),
    word!("days" "天" N => Days, days, 1, "So many calendar days; the day of the event is not counted.", "若干日历日；事件当日不计。", "days(3)"),
    word!("working_days" "工作日" N => Days, working_days, 1, "So many days on which the calendar is open; the day of the event is not counted.", "若干工作日；事件当日不计。", "working_days(1)"),
    word!("weeks" "周" N => Days, weeks, 1, "So many weeks, ending on the same weekday.", "若干周，至相同的星期几。", "weeks(1)"),
    word!("months" "月" N => Days, months, 1, "So many months, ending on the corresponding day, else on the last of the month.", "若干月，至对应日；没有对应日的，至月末。", "months(1)"),
    word!("years" "年" N => Days, years, 1, "So many years, ending on the corresponding day.", "若干年，至对应日。", "years(3)"),
    word!("started" "不足计一" TIME_AND_UNIT => Count, started, 1, "How many units have begun: one second over counts as another.", "有多少个单位，不足一个的按一个计：多一秒即多计一个。", "breach.late.started(hours(1))"),
    word!("full" "满一计一" TIME_AND_UNIT => Count, full, 1, "How many units are full.", "满了多少个单位，不足一个的不计。", "breach.late.full(hours(24))"),
    word!("started" "不足计一" TWO_SHARES => Count, started, 1, "How many of a smaller share a share has begun.", "比例中有多少个较小的比例，不足一个的按一个计。", "(terms.goal - period.share).started(percent(1))"),
    word!("full" "满一计一" TWO_SHARES => Count, full, 1, "How many of a smaller share a share is full of; nothing below zero.", "比例中满了多少个较小的比例，不足一个的不计；低于零的计零。", "(terms.goal - period.share).full(percent(1))"),
    word!("plus" "加上" &[plain(Sort::Instant, "instant"), plain(Sort::Days, "days")] => Instant, plus, 20, "The end of a period of days from an instant, on the contract's days.", "自某时刻起若干日、月或年之后的时刻，按合同所在地的日历日计。", "contract.accepted_at.plus(terms.warranty)"),
    word!("money" "金额" &[name(Names::Amount, "amount")] => Money, amount, 2, "An amount of the contract's currency.", "合同货币的金额。", "money(\"12.50\")"),
    word!("yuan" "元" N => Money, yuan, 2, "So many yuan; for contracts in CNY.", "若干元；限人民币合同。", "yuan(500)"),
    word!("yuan" "元" &[name(Names::Amount, "amount")] => Money, yuan, 2, "An amount in yuan with its fen.", "带角分的元数。", "yuan(\"0.50\")"),
    word!("percent" "百分之" N => Share, percent, 2, "So many hundredths.", "百分之若干。", "percent(5)"),
    word!("percent" "百分之" &[name(Names::Percent, "number")] => Share, percent, 2, "Hundredths with decimals.", "带小数的百分数。", "percent(\"2.5\")"),
    word!("of" "乘以" &[plain(Sort::Share, "share"), plain(Sort::Money, "money"), name(Names::Rounding, "rounding")] => Money, of, 4, "A share of an amount; how a fraction is rounded is always said.", "金额乘以比例；零头如何取整必须写明。", "percent(5).of(terms.fee, \"half_up\")"),
    word!("at" "对应" &[plain(Sort::SharesByShare, "table"), plain(Sort::Share, "share")] => Share, at, 2, "The share that a table of terms.toml gives for a share.", "terms.toml 的表中，这一比例对应的比例。", "terms.tiers.at(period.share)"),
    word!("at" "对应" &[plain(Sort::SharesByCount, "table"), plain(Sort::Count, "count")] => Share, at, 2, "The share that a table gives for a number.", "表中，这一整数对应的比例。", "terms.counts.at(period.missed)"),
    word!("at" "对应" &[plain(Sort::AmountsByShare, "table"), plain(Sort::Share, "share")] => Money, at, 2, "The amount that a table gives for a share.", "表中，这一比例对应的金额。", "terms.amounts.at(period.share)"),
    word!("at" "对应" &[plain(Sort::AmountsByCount, "table"), plain(Sort::Count, "count")] => Money, at, 2, "The amount that a table gives for a number.", "表中，这一整数对应的金额。", "terms.fines.at(period.missed)"),
    word!("min" "较小者" TWO_AMOUNTS => Money, min, 1, "The smaller of two amounts.", "两个金额中较小的。", "min(terms.fine, terms.cap)"),
    word!("min" "较小者" TWO_COUNTS => Count, min, 1, "The smaller of two numbers.", "两个数中较小的。", "min(breach.late.started(hours(1)), 3)"),
    word!("max" "较大者" TWO_AMOUNTS => Money, max, 1, "The greater of two amounts.", "两个金额中较大的。", "max(terms.fine, terms.least)"),
    word!("max" "较大者" TWO_COUNTS => Count, max, 1, "The greater of two numbers.", "两个数中较大的。", "max(breach.late.full(hours(24)), 1)"),
    word!("due" "限时" &[name(Names::NewClock, "clock")] => Deadline, due, 2, "A clock of this name; it starts at the report unless `starts_on` says otherwise.", "设定一个期限并为它命名；不写 `起算于` 的，自报告时起算。", "due(\"repair\")"),
    word!("within" "不超过" &[DEADLINE, plain(Sort::Time, "time")] => Deadline, within, 2, "It lasts so long in open time of its calendar.", "期限有多长，按其日历的工作时间计。", "due(\"repair\").within(hours(2))"),
    word!("within" "不超过" &[DEADLINE, plain(Sort::Days, "days")] => Deadline, within, 2, "It lasts so many days.", "期限有多少日、周、月或年。", "due(\"plan\").within(working_days(1))"),
    word!("by" "截止于" &[DEADLINE, name(Names::Date, "fact")] => Deadline, by, 2, "It ends at an instant that an event gives, such as an agreed date.", "到某个事件给出的时刻为止，例如商定的日期。", "due(\"agreed\").starts_on(\"plan_agreed\").by(\"plan_due\")"),
    word!("starts_on" "起算于" &[DEADLINE, name(Names::Event, "event")] => Deadline, starts_on, 2, "It starts at the first of these events.", "自这些事件中最先发生的一个起算。", "due(\"start\").starts_on(\"plan_agreed\")", true),
    word!("after_breach_of" "违约后起算" &[DEADLINE, CLOCK] => Deadline, after_breach_of, 2, "It starts when another clock of the clause is breached.", "自本条款另一期限违约时起算。", "due(\"plan\").after_breach_of(\"repair\")"),
    word!("met_by" "视为完成" &[DEADLINE, name(Names::Event, "event")] => Deadline, met_by, 2, "Any of these events stops it.", "其中任何一个事件发生，即视为完成。", "due(\"repair\").met_by(\"resolved\")", true),
    word!("before" "早于" &[DEADLINE, name(Names::Date, "fact"), plain(Sort::Days, "days")] => Deadline, before, 2, "It ends so many days before an instant that an event gives, such as the start of a course.", "到某个事件给出的时刻之前若干日为止，例如开课前三日。", "due(\"material\").before(\"course_at\", days(3))"),
    word!("pauses_at_most" "暂停不超过" &[DEADLINE, plain(Sort::Time, "time")] => Deadline, pauses_at_most, 2, "All its pauses together hold it for at most so long, by the clock on the wall; then it runs on.", "全部暂停合计最多这么久，按自然时间计；超过后继续计时。", "due(\"repair\").pauses_for(\"customer\").pauses_at_most(hours(48))"),
    word!("in_calendar" "按日历" &[DEADLINE, name(Names::Calendar, "calendar")] => Deadline, in_calendar, 2, "It runs on this calendar; without it, day and night.", "按此日历计时；不写则全天计时。", "due(\"plan\").in_calendar(\"workdays\")"),
    word!("pauses_for" "因故暂停" &[DEADLINE, name(Names::Reason, "reason")] => Deadline, pauses_for, 2, "It stands still while the ticket is paused for one of these reasons.", "工单因这些原因暂停时，停止计时。", "due(\"repair\").pauses_for(\"customer\")", true),
    word!("pauses" "可暂停" &[DEADLINE] => Deadline, pauses, 2, "It stands still whenever the ticket is paused.", "工单不论因何暂停，一律停止计时。", "due(\"repair\").pauses()"),
    word!("at_share" "用时达" &[CLOCK, plain(Sort::Share, "share")] => Step, at_share, 2, "A step when this share of the clock's time is used.", "期限的时间用去这一比例时。", "at_share(\"repair\", percent(75))"),
    word!("at_breach" "违约时" &[CLOCK] => Step, at_breach, 2, "A step at the breach.", "期限违约之时。", "at_breach(\"repair\")"),
    word!("after_breach" "违约后" &[CLOCK, plain(Sort::Time, "time")] => Step, after_breach, 2, "A step so long after the breach, if it is not met by then.", "违约后过了这段时间仍未完成时。", "after_breach(\"repair\", hours(4))"),
    word!("notify" "通知" &[STEP, name(Names::Role, "role")] => Step, notify, 2, "Whom a step tells.", "这一步通知哪些角色。", "at_breach(\"repair\").notify(\"team_lead\")", true),
    word!("duty" "一项义务" &[name(Names::NewClock, "duty")] => Duty, duty, 2, "Something the contract asks for by itself, without a ticket.", "合同本身要求做的一件事，与工单无关。", "duty(\"full_backup\")"),
    word!("every" "每逢" &[DUTY, name(Names::Recurrence, "rule")] => Duty, every, 2, "It comes again by a recurrence rule (RFC 5545), in the contract's time zone, counted from the day of its beginning.", "按重复规则（RFC 5545）一再到来，用合同所在地的时间，自开始之日算起。", "duty(\"full_backup\").every(\"FREQ=MONTHLY;BYMONTHDAY=1\")"),
    word!("once" "仅一次" &[DUTY] => Duty, once, 2, "It comes once, when the contract is signed, or at the event that `starts_on` names.", "只来一次：合同签订之时，或 `起算于` 所指的事件之时。", "duty(\"handover\").once()"),
    word!("within" "不超过" &[DUTY, plain(Sort::Time, "time")] => Duty, duty_within, 2, "There is so long for it each time, in open time of its calendar.", "每次有多长时间去做，按其日历的工作时间计。", "duty(\"full_backup\").within(hours(6))"),
    word!("within" "不超过" &[DUTY, plain(Sort::Days, "days")] => Duty, duty_within, 2, "There are so many days for it each time.", "每次有多少日、周或月去做。", "duty(\"full_backup\").within(days(3))"),
    word!("early" "可提前" &[DUTY, plain(Sort::Time, "time")] => Duty, early, 2, "It may be done so long before its time.", "最多可以提前多久做。", "duty(\"full_backup\").early(hours(2))"),
    word!("needs" "须附" &[DUTY, name(Names::Fact, "fact")] => Duty, needs, 2, "It is done only if these facts come with it; yes-or-no facts must be yes.", "必须附有这些事实才算完成；真假事实必须为真。", "duty(\"full_backup\").needs(\"archive_logs\")", true),
    word!("in_calendar" "按日历" &[DUTY, name(Names::Calendar, "calendar")] => Duty, duty_calendar, 2, "Its time is counted on this calendar; without it, day and night.", "按此日历计时；不写则全天计时。", "duty(\"call_back\").in_calendar(\"workdays\")"),
    word!("starts_on" "起算于" &[DUTY, name(Names::ContractEvent, "event")] => Duty, duty_starts, 2, "It begins with this event of the contract; without it, when the contract is signed.", "自合同的这个事件起开始；不写则自签订起。", "duty(\"call_back\").starts_on(\"project_accepted\")"),
    word!("availability" "可用率" &[name(Names::NewClock, "level")] => Level, availability, 2, "A service level: the share of the time without an outage.", "服务水平：没有中断的时间所占的比例。", "availability(\"portal\")"),
    word!("in_time" "按时率" &[name(Names::NewClock, "level"), name(Names::PackClock, "clock")] => Level, in_time, 2, "A service level: the share of these clocks that were met, among those met or missed in the period.", "服务水平：本期内完成或逾期的这些期限中，按时完成的比例。", "in_time(\"answers\", \"repair\")", true),
    word!("of_service" "针对服务" &[LEVEL, name(Names::Prose, "service")] => Level, of_service, 2, "Only outages of this service count, and those that name none.", "只计这个服务的中断，以及未写明服务的中断。", "availability(\"portal\").of_service(\"web\")"),
    word!("announced" "须提前公告" &[LEVEL, plain(Sort::Time, "time")] => Level, announced, 2, "Planned downtime is no outage if it was announced so long before; without this, whenever it was announced before it began.", "至少提前这么久公告的计划停机不算中断；不写则开始前公告即可。", "availability(\"portal\").announced(hours(72))"),
    word!("planned_counts" "计划停机计入" &[LEVEL] => Level, planned_counts, 2, "Planned downtime counts like any other.", "计划停机也算中断。", "availability(\"portal\").planned_counts()"),
    word!("per_month" "按月" &[LEVEL] => Level, per_month, 2, "Measured over calendar months in the contract's time zone; so it is without saying.", "按合同所在地的自然月统计；不写即为按月。", "availability(\"portal\").per_month()"),
    word!("per_quarter" "按季" &[LEVEL] => Level, per_quarter, 2, "Measured over calendar quarters.", "按自然季度统计。", "availability(\"portal\").per_quarter()"),
    word!("per_year" "按年" &[LEVEL] => Level, per_year, 2, "Measured over calendar years.", "按自然年统计。", "availability(\"portal\").per_year()"),
    word!("over_months" "连续数月" &[LEVEL, MONTHS] => Level, over_months, 2, "Measured at the end of each month over so many months up to it.", "每月末统计到该月为止的若干个月。", "availability(\"portal\").over_months(12)"),
    word!("settles_after" "结算期" &[LEVEL, plain(Sort::Days, "days")] => Level, settles_after, 2, "A period closes so many days after its end; without it, at its end.", "每期结束后过这么多日才结算；不写则期末即结算。", "availability(\"portal\").settles_after(days(5))"),
    word!("settles_after" "结算期" &[LEVEL, plain(Sort::Time, "time")] => Level, settles_after, 2, "A period closes so long after its end.", "每期结束后过这么久才结算。", "availability(\"portal\").settles_after(hours(24))"),
    word!("in_calendar" "按日历" &[LEVEL, name(Names::Calendar, "calendar")] => Level, level_calendar, 2, "Only the time counts in which this calendar is open.", "只计此日历的工作时间。", "availability(\"portal\").in_calendar(\"workdays\")"),
    word!("starts_on" "起算于" &[LEVEL, name(Names::ContractEvent, "event")] => Level, level_starts, 2, "Its first period begins with this event of the contract; without it, when the contract is signed.", "自合同的这个事件起开始统计；不写则自签订起。", "availability(\"portal\").starts_on(\"project_accepted\")"),
    word!("earned_back" "可赚回" &[LEVEL, MONTHS, plain(Sort::Share, "share")] => Level, earned_back, 2, "A credit is given back when the level stays at or above this share for so many periods after it.", "此后连续若干期都不低于这一比例的，已扣的退还。", "availability(\"portal\").earned_back(3, percent(99))"),
    word!("cap_per_ticket" "每单封顶" LIMIT => Cap, cap_per_ticket, 2, "The penalties of one ticket (one time of a duty, one period of a level) come to at most so much.", "一个工单（一次义务、一期服务水平）的扣款合计最多这么多。", "cap_per_ticket(yuan(2000))"),
    word!("cap_per_month" "每月封顶" LIMIT => Cap, cap_per_month, 2, "The penalties of a calendar month come to at most so much.", "一个自然月的扣款合计最多这么多。", "cap_per_month(yuan(5000))"),
    word!("cap_per_quarter" "每季封顶" LIMIT => Cap, cap_per_quarter, 2, "Those of a calendar quarter.", "一个自然季度的扣款合计最多这么多。", "cap_per_quarter(yuan(9000))"),
    word!("cap_per_year" "每年封顶" LIMIT => Cap, cap_per_year, 2, "Those of a calendar year.", "一个自然年的扣款合计最多这么多。", "cap_per_year(yuan(20000))"),
    word!("cap_over_months" "连续数月封顶" &[MONTHS, plain(Sort::Money, "limit")] => Cap, cap_over_months, 2, "Those of so many months up to the one of the penalty.", "到扣款所在月为止的若干个月，扣款合计最多这么多。", "cap_over_months(12, yuan(20000))"),
    word!("cap_in_all" "总额封顶" LIMIT => Cap, cap_in_all, 2, "All penalties of the contract.", "整个合同的扣款合计最多这么多。", "cap_in_all(yuan(50000))"),
    word!("for_clauses" "适用条款" &[CAP, name(Names::Clause, "clause")] => Cap, for_clauses, 2, "It adds up the penalties of these clauses alone; without it, of all.", "只合计这些条款的扣款；不写则合计全部。", "cap_per_month(yuan(5000)).for_clauses(\"1\")", true),
    word!("within" "不超过" &[plain(Sort::Again, "again"), plain(Sort::Days, "days")] => Count, asked, 2, "How many breaches of the clause there were in so many days (of 24 hours) or weeks up to and including this one.", "到本次为止的若干日（每日 24 小时）或周之内，本条款违约了几次，含本次。", "again.within(days(30))"),
    word!("free" "免费" &[name(Names::Prose, "why")] => Verdict, free, 2, "The work is free of charge, and why.", "处理不收费，并写明理由。", "free(\"within the free period\")"),
    word!("paid" "收费" &[name(Names::Prose, "why")] => Verdict, paid, 2, "The work is paid for, and why.", "处理收费，并写明理由。", "paid(\"agreed as paid\")"),
    word!("undecided" "未定" &[] => Verdict, undecided, 1, "This clause does not say.", "本条款不作判定。", "undecided()"),
    word!("finding" "问题" &[name(Names::Prose, "what")] => Finding, finding, 2, "Something found wrong in how the ticket was handled.", "处理过程中不合约定的一个问题。", "finding(\"closed without acceptance\")"),
    word!("knows" "已知" &[TICKET, name(Names::Fact, "fact")] => Bool, asked, 1, "Whether an event has given this fact.", "是否已有事件给出此事实。", "ticket.knows(\"mode\")"),
    word!("knew" "当时已知" &[TICKET, name(Names::Fact, "fact"), name(Names::Event, "event")] => Bool, asked, 1, "Whether this fact was given by the time of this event, which happened and stands; only in `findings`.", "此事件发生且仍然有效，并且发生时该事实已经给出；只能在 `检查` 中使用。", "ticket.knew(\"test_record\", \"resolved\")"),
    word!("has" "有" &[TICKET, name(Names::Event, "event")] => Bool, asked, 1, "Whether this event happened and stands; only in `findings`.", "此事件是否已发生且仍然有效；只能在 `检查` 中使用。", "ticket.has(\"closed\")"),
    word!("has" "有" &[plain(Sort::Contract, "contract"), name(Names::ContractEvent, "event")] => Bool, asked, 1, "Whether the contract was signed, or the project accepted.", "合同是否已签订，或项目是否已验收。", "contract.has(\"signed\")"),
];

macro_rules! field {
    ($of:ident . $en:literal $zh:literal => $gives:ident, $what:ident, $doc:literal, $doc_zh:literal) => {
        Field {
            of: Sort::$of,
            names: [$en, $zh],
            gives: Sort::$gives,
            what: Asked::$what,
            doc: [$doc, $doc_zh],
        }
    };
    ($of:ident . $en:literal $zh:literal => $gives:ident, of $what:ident, $doc:literal, $doc_zh:literal) => {
        Field {
            of: Sort::$of,
            names: [$en, $zh],
            gives: Sort::$gives,
            what: Asked::Of(Measured::$what),
            doc: [$doc, $doc_zh],
        }
    };
}

/// All fields beside the pack's own facts and terms.
#[rustfmt::skip]
pub(crate) const FIELDS: &[Field] = &[
    field!(Ticket."first" "首次" => First, First, "The facts as they were first given.", "各事实首次登记的值。"),
    field!(Ticket."reported_at" "报告时间" => Instant, ReportedAt, "When the ticket was reported.", "工单报告的时刻。"),
    field!(Ticket."via" "渠道" => Text, Via, "How it came: phone, web, written ...; empty when not said.", "报告的渠道：phone、web、written 等；未登记则为空。"),
    field!(Ticket."id" "编号" => Text, Id, "The ticket's number.", "工单编号。"),
    field!(Contract."signed_at" "签订时间" => Instant, SignedAt, "When the contract was signed.", "合同签订的时刻。"),
    field!(Contract."accepted_at" "验收时间" => Instant, AcceptedAt, "When the project was accepted.", "项目验收的时刻。"),
    field!(Breach."clock" "期限名" => Text, Clock, "Which clock was breached.", "哪个期限违约。"),
    field!(Breach."due" "到期时间" => Instant, Due, "When it was due.", "应当完成的时刻。"),
    field!(Breach."late" "逾期" => Time, Late, "How late it is by now, in open time of its calendar; it grows until the clock stops.", "至今逾期多久，按其日历的工作时间计；期限完成之前持续增长。"),
    field!(Breach."ticket" "工单" => Ticket, Ticket, "The ticket; a missed duty has none.", "违约的工单；义务没有工单。"),
    field!(Period."name" "名称" => Text, of Name, "Which service level.", "哪一项服务水平。"),
    field!(Period."from" "起" => Instant, of From, "The first instant of the period.", "本期开始的时刻。"),
    field!(Period."end" "止" => Instant, of Until, "The instant after the last one of the period.", "本期结束的时刻。"),
    field!(Period."share" "达标率" => Share, of Share, "The share of the time, or of the clocks, that was good; the whole when there was nothing to measure.", "达标的时间或期限所占的比例；没有可统计的，为百分之百。"),
    field!(Period."total" "总数" => Count, of Total, "How many clocks were met or missed; for availability, how many outages counted.", "完成或逾期的期限有多少个；可用率则为中断次数。"),
    field!(Period."met" "达标数" => Count, of Met, "How many clocks were met.", "按时完成的期限有多少个。"),
    field!(Period."missed" "未达标数" => Count, of Missed, "How many clocks were missed; for availability, how many outages counted.", "逾期的期限有多少个；可用率则为中断次数。"),
    field!(Period."downtime" "中断时间" => Time, of Downtime, "How long outages lasted together, without what does not count; in open time of its calendar.", "中断合计多久，不含不计的部分；按其日历的工作时间计。"),
    field!(Period."invoiced" "开票金额" => Money, of Invoiced, "What was invoiced within the period.", "本期内开票的金额。"),
    field!(Again."clock" "期限名" => Text, of AgainClock, "Which clock, duty or level was missed.", "未达标的期限、义务或服务水平。"),
    field!(Again."at" "时间" => Instant, of AgainAt, "When it was missed.", "违约的时刻。"),
    field!(Again."amount" "金额" => Money, of AgainAmount, "What it costs by itself.", "不计前次时的扣款。"),
];

/// Names that stand for the contract's terms and for the contract itself.
pub(crate) const GLOBALS: [([&str; 2], Sort, [&str; 2]); 2] = [
    (
        ["terms", "约定"],
        Sort::Terms,
        [
            "The dated numbers of terms.toml, as in force when the ticket was reported.",
            "terms.toml 中的数字，取工单报告时有效的值。",
        ],
    ),
    (["contract", "合同"], Sort::Contract, ["The contract itself.", "合同本身。"]),
];

/// All entry functions, in the order in which a clause's record numbers them.
#[rustfmt::skip]
pub(crate) const ENTRIES: [Entry; 12] = [
    Entry { names: ["applies", "适用"], takes: Some(Sort::Ticket), gives: Sort::Bool, of: Sort::Nothing, expected: "true or false", doc: ["Whether the clause applies to the ticket; without it, it always does.", "本条款是否适用于该工单；不写则一律适用。"] },
    Entry { names: ["deadlines", "期限"], takes: Some(Sort::Ticket), gives: Sort::List, of: Sort::Deadline, expected: "a list of `due(...)`", doc: ["The clocks that the clause sets.", "本条款设定的期限。"] },
    Entry { names: ["penalty", "扣款"], takes: Some(Sort::Breach), gives: Sort::Money, of: Sort::Nothing, expected: "money", doc: ["What the breach of one of its clocks costs.", "本条款的一个期限违约时扣多少款。"] },
    Entry { names: ["classify", "判定"], takes: Some(Sort::Ticket), gives: Sort::Verdict, of: Sort::Nothing, expected: "`free(\"why\")`, `paid(\"why\")` or `undecided()`", doc: ["Whether the work is free or paid.", "收费还是免费。"] },
    Entry { names: ["escalation", "升级"], takes: Some(Sort::Ticket), gives: Sort::List, of: Sort::Step, expected: "a list of steps such as `at_breach(...)`", doc: ["Who is told, and when.", "何时通知何人。"] },
    Entry { names: ["findings", "检查"], takes: Some(Sort::Ticket), gives: Sort::List, of: Sort::Finding, expected: "a list of `finding(...)`", doc: ["What was wrong in how the ticket was handled.", "处理过程有哪些不合约定之处。"] },
    Entry { names: ["deposit_floor", "质保金最低额"], takes: None, gives: Sort::Money, of: Sort::Nothing, expected: "money", doc: ["What deductions must leave of the deposit.", "扣款后质保金至少保留多少。"] },
    Entry { names: ["duties", "义务"], takes: None, gives: Sort::List, of: Sort::Duty, expected: "a list of `duty(...)`", doc: ["What the contract asks for by itself, on a schedule or once; a missed one is priced by `penalty`.", "合同本身要求按时做的事；未做的由 `扣款` 定价。"] },
    Entry { names: ["service_levels", "服务水平"], takes: None, gives: Sort::List, of: Sort::Level, expected: "a list of `availability(...)` or `in_time(...)`", doc: ["What is measured over a period.", "按期统计什么。"] },
    Entry { names: ["credit", "抵扣"], takes: Some(Sort::Period), gives: Sort::Money, of: Sort::Nothing, expected: "money", doc: ["What a closed period of one of its levels costs.", "本条款的一期服务水平结算时扣多少款。"] },
    Entry { names: ["caps", "封顶"], takes: None, gives: Sort::List, of: Sort::Cap, expected: "a list of `cap_per_month(...)` and the like", doc: ["The most that penalties may come to, in the order in which they are applied.", "扣款合计的上限，按所列次序适用。"] },
    Entry { names: ["repeated", "屡次"], takes: Some(Sort::Again), gives: Sort::Money, of: Sort::Nothing, expected: "money", doc: ["What a penalty of the clause costs in view of its earlier breaches.", "考虑本条款以前的违约，这次扣多少款。"] },
];

/// Chinese names of the built-in events, by their English ones.
pub(crate) const EVENTS_ZH: [(&str, &str); 33] = [
    ("reported", "已报告"),
    ("responded", "已响应"),
    ("dispatched", "已派出"),
    ("plan_proposed", "方案已提交"),
    ("plan_agreed", "方案已商定"),
    ("work_started", "已开工"),
    ("resolved", "已解决"),
    ("accepted", "已验收"),
    ("rejected", "验收未通过"),
    ("reopened", "已重开"),
    ("paused", "已暂停"),
    ("resumed", "已恢复"),
    ("updated", "已更新"),
    ("cancelled", "已取消"),
    ("closed", "已结案"),
    ("opinion_given", "已取得意见"),
    ("signed", "已签订"),
    ("project_accepted", "项目已验收"),
    ("deposit_paid", "质保金已缴"),
    ("deposit_released", "质保金已退"),
    ("penalty_confirmed", "扣款已确认"),
    ("penalty_waived", "扣款已免除"),
    ("duty_done", "义务已履行"),
    ("outage_started", "中断已开始"),
    ("outage_ended", "中断已结束"),
    ("downtime_planned", "停机已公告"),
    ("invoiced", "已开票"),
    ("penalty_disputed", "扣款有争议"),
    ("dispute_ended", "争议已结束"),
    ("force_majeure_started", "不可抗力已开始"),
    ("force_majeure_ended", "不可抗力已结束"),
    ("settled", "已对账结清"),
    ("ended", "合同已终止"),
];

/// The roundings, English and Chinese.
pub(crate) const ROUNDINGS: [[&str; 2]; 4] =
    [["half_up", "四舍五入"], ["half_even", "四舍六入五成双"], ["down", "舍去"], ["up", "进一"]];
