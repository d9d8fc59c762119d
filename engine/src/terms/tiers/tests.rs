//! Tables read, refused and asked.

use proptest::prelude::*;

use super::read::band_texts;
use super::*;

fn unit(text: &str) -> TierUnit {
    TierUnit::parse(text).unwrap()
}

fn read(of: &str, text: &str) -> Result<Tiers, Vec<TierFault>> {
    unit(of).read(&band_texts(text).unwrap())
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn units_of_tables_are_two_halves() {
    let cny: Currency = "CNY".parse().unwrap();
    for (text, by, gives) in [
        ("percent by percent", TierBy::Percent, None),
        ("percent by count", TierBy::Count, None),
        ("CNY by percent", TierBy::Percent, Some(cny)),
        ("CNY by count", TierBy::Count, Some(cny)),
    ] {
        assert_eq!(TierUnit::parse(text), Some(TierUnit { by, gives }), "{text}");
    }
    for text in
        ["percent", "CNY", "count by percent", "percent by CNY", "RMB by count", "percent by", "by by by"]
    {
        assert_eq!(TierUnit::parse(text), None, "{text}");
    }
}

#[test]
fn a_share_falls_into_one_band_at_every_edge() {
    let tiers = read(
        "percent by percent",
        r#"[{ from = "99.9", is = 0 }, { below = "95", is = "100" }, { from = "95", to = 99, is = "25" },
            { above = "99", below = 99.9, is = "10" }]"#,
    )
    .unwrap();
    assert_eq!(tiers.to_string(), "<95: 100 %, [95, 99]: 25 %, (99, 99.9): 10 %, >=99.9: 0 %");
    for (share, is) in [
        ("-0.1", "100 %"),
        ("0", "100 %"),
        ("0.9499999999999999999999999999", "100 %"),
        ("0.95", "25 %"),
        ("0.99", "25 %"),
        ("0.9900000000000000000000000001", "10 %"),
        ("0.9989999999999999999999999999", "10 %"),
        ("0.999", "0 %"),
        ("1", "0 %"),
        ("1.5", "0 %"),
    ] {
        assert_eq!(tiers.at(dec(share)).to_string(), is, "{share}");
    }
}

#[test]
fn counts_that_follow_each_other_leave_no_gap() {
    for text in [
        r#"[{ to = "2", is = "0" }, { from = "3", to = "4", is = "50.00" }, { from = "5", is = "80" }]"#,
        r#"[{ below = "3", is = "0" }, { above = "2", below = "5", is = "50" }, { above = 4, is = "80" }]"#,
        r#"[{ from = 0, to = 2, is = 0 }, { from = 3, to = 4, is = 50 }, { from = 5, is = 80 }]"#,
    ] {
        let tiers = read("CNY by count", text).unwrap();
        assert_eq!(tiers.to_string(), "<=2: 0.00 CNY, [3, 4]: 50.00 CNY, >=5: 80.00 CNY", "{text}");
        for (n, minor) in [(-1, 0), (0, 0), (2, 0), (3, 5_000), (4, 5_000), (5, 8_000), (i64::MAX, 8_000)] {
            let money = Money::from_minor(minor, "CNY".parse().unwrap());
            assert_eq!(tiers.at(Decimal::from(n)), TierValue::Money(money), "{n}");
        }
    }
}

#[test]
fn one_band_may_be_all_or_a_point() {
    assert_eq!(read("percent by count", r#"[{ is = 5 }]"#).unwrap().to_string(), "any: 5 %");
    let point = r#"[{ below = 100, is = 5 }, { from = 100, is = 0 }]"#;
    assert_eq!(read("percent by percent", point).unwrap().to_string(), "<100: 5 %, >=100: 0 %");
    let twice = r#"[{ to = 0, is = 0 }, { from = 1, to = 1, is = 100 }, { above = 1, is = "200" }]"#;
    assert_eq!(read("percent by count", twice).unwrap().to_string(), "<=0: 0 %, 1: 100 %, >=2: 200 %");
}

#[test]
fn what_is_wrong_is_told_of_its_band_and_key() {
    use TierMistake::{Gap, Overlap, Value};
    let (p, c) = ("percent by percent", "percent by count");
    for (of, text, what, at) in [
        (p, r#"[{ below = 95, is = 10 }, { from = 96, is = 0 }]"#, Gap, (1, "lower")),
        (p, r#"[{ above = 95, is = 0 }, { below = 95, is = 10 }]"#, Gap, (0, "lower")),
        (p, r#"[{ from = 1, is = 0 }]"#, Gap, (0, "lower")),
        (p, r#"[{ above = 0, is = 0 }]"#, Gap, (0, "lower")),
        (p, r#"[{ below = 100, is = 0 }]"#, Gap, (0, "upper")),
        (c, r#"[{ from = 1, is = 0 }]"#, Gap, (0, "lower")),
        (c, r#"[{ to = 9, is = 0 }]"#, Gap, (0, "upper")),
        (c, r#"[{ to = 2, is = 0 }, { above = 3, is = 5 }]"#, Gap, (1, "lower")),
        (p, r#"[{ to = 95, is = 10 }, { from = 95, is = 0 }]"#, Overlap, (1, "lower")),
        (p, r#"[{ below = 99, is = 10 }, { from = 95, is = 0 }]"#, Overlap, (1, "lower")),
        (p, r#"[{ is = 10 }, { from = 95, is = 0 }]"#, Overlap, (1, "lower")),
        (p, r#"[{ below = 95, is = 10 }, { is = 0 }]"#, Overlap, (1, "lower")),
        (c, r#"[{ to = 3, is = 0 }, { from = 3, is = 5 }]"#, Overlap, (1, "lower")),
        (p, r#"[{ from = 5, above = 5, is = 10 }]"#, Value, (0, "above")),
        (p, r#"[{ below = 5, to = 5, is = 10 }]"#, Value, (0, "to")),
        (p, r#"[{ from = 95, below = 95, is = 10 }]"#, Value, (0, "below")),
        (p, r#"[{ from = 95, to = 94, is = 10 }]"#, Value, (0, "to")),
        (p, r#"[{ below = 0, is = 10 }]"#, Value, (0, "below")),
        (p, r#"[{ above = 100, is = 10 }]"#, Value, (0, "above")),
        (c, r#"[{ above = 2, below = 3, is = 10 }]"#, Value, (0, "below")),
        (p, r#"[{ to = "100.1", is = 10 }]"#, Value, (0, "to")),
        (p, r#"[{ to = "-1", is = 10 }]"#, Value, (0, "to")),
        (p, r#"[{ to = 1e1, is = 10 }]"#, Value, (0, "to")),
        (p, r#"[{ to = "many", is = 10 }]"#, Value, (0, "to")),
        (p, r#"[{ to = "99.9999999999999", is = 10 }]"#, Value, (0, "to")),
        (c, r#"[{ to = "1.5", is = 10 }]"#, Value, (0, "to")),
        (c, r#"[{ is = "-1" }]"#, Value, (0, "is")),
        ("CNY by count", r#"[{ is = "0.001" }]"#, Value, (0, "is")),
        ("CNY by count", r#"[{ is = "-0.01" }]"#, Value, (0, "is")),
    ] {
        let faults = read(of, text).unwrap_err();
        let told: Vec<_> = faults.iter().map(|fault| (fault.what, fault.at)).collect();
        assert_eq!(told, [(what, (at.0, Some(at.1)))], "{text}");
    }
}

#[test]
fn every_gap_and_overlap_is_told_with_the_other_side() {
    let text = r#"[{ from = 1, to = 50, is = 1 }, { from = 10, to = 20, is = 2 }, { from = 40, to = 60, is = 3 },
        { above = 70, below = 80, is = 4 }]"#;
    let faults = read("percent by percent", text).unwrap_err();
    let told: Vec<_> = faults
        .iter()
        .map(|fault| (fault.what, fault.at.0, fault.other.as_ref().map(|((band, _), _)| *band)))
        .collect();
    use TierMistake::{Gap, Overlap};
    assert_eq!(
        told,
        [(Gap, 0, None), (Overlap, 1, Some(0)), (Overlap, 2, Some(0)), (Gap, 3, Some(2)), (Gap, 3, None)]
    );
    assert!(faults[1].message.contains("[1, 50] and [10, 20] overlap"), "{}", faults[1].message);
    assert!(faults[3].message.contains("between the tiers [40, 60] and (70, 80)"), "{}", faults[3].message);
}

#[test]
fn a_text_that_is_no_table_is_refused_with_what_was_expected() {
    for (text, words) in [
        ("5", "not a list"),
        ("[5]", "not a table"),
        ("[]", "no tiers"),
        ("[{ to = [1], is = 5 }]", "`to` is no number"),
        ("[{ upto = 1, is = 5 }]", "unknown field `upto`"),
        ("[{ to = 1 }]", "missing field `is`"),
        ("[{ is = 5 }]\nmore = 1", "not a list"),
        ("[{", ""),
        ("[{ to = 1, is = 5 }]", "a gap above the tier <=1"),
    ] {
        let error = unit("percent by count").read_text(text).unwrap_err();
        assert!(error.contains(words) && error.contains("such as"), "{text}: {error}");
    }
    assert!(unit("percent by count").read_text(r#"[{ to = 1, is = 5 }, { above = 1, is = 6 }]"#).is_ok());
}

/// A number and whether it belongs to the band; nothing for no end.
type End = Option<(u32, bool)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bands are accepted exactly when each tenth of a percent, and each point between two, is in one of them.
    #[test]
    fn a_table_is_taken_when_every_point_is_in_one_band(
        ends in proptest::collection::vec(
            (proptest::option::of((7u32..12, any::<bool>())), proptest::option::of((7u32..12, any::<bool>()))), 1..4),
        count in any::<bool>(),
    ) {
        let of = if count { "percent by count" } else { "percent by percent" };
        // Twelve points; in percent the last of them is the highest there is.
        let number = |n: u32| if count { n.to_string() } else { (100 - (11 - n) * 5).to_string() };
        let texts: Vec<BandText> = ends.iter().enumerate().map(|(i, (lower, upper))| {
            let mut text = BandText { is: Some(i.to_string()), ..BandText::default() };
            if let Some((n, closed)) = lower { text.ends[usize::from(!closed)] = Some(number(*n)); }
            if let Some((n, closed)) = upper { text.ends[2 + usize::from(*closed)] = Some(number(*n)); }
            text
        }).collect();
        let holds = |(lower, upper): &(End, End), twice: u32| {
            lower.is_none_or(|(n, closed)| if closed { 2 * n <= twice } else { 2 * n < twice })
                && upper.is_none_or(|(n, closed)| if closed { twice <= 2 * n } else { twice < 2 * n })
        };
        // Even numbers are the points, odd ones lie between; below the first point in percent lies more.
        let asked: Vec<u32> = if count { (0..30).map(|n| 2 * n).collect() } else { (0..23).collect() };
        let below_holds = ends.iter().filter(|(lower, _)| lower.is_none()).count();
        let bands_of = |twice: u32| (0..ends.len()).filter(|i| holds(&ends[*i], twice)).collect::<Vec<_>>();
        let covered = asked.iter().all(|twice| bands_of(*twice).len() == 1) && (count || below_holds == 1);
        let each = (0..ends.len()).all(|i| {
            let below = !count && ends[i].0.is_none();
            below || asked.iter().any(|twice| holds(&ends[i], *twice))
        });
        match unit(of).read(&texts) {
            Ok(tiers) => {
                prop_assert!(covered && each, "{} {:?}", tiers, ends);
                for twice in asked {
                    let x = if count { Decimal::from(twice / 2) } else {
                        Decimal::new(i64::from(1000 - (22 - twice) * 25), 3)
                    };
                    let band = i64::try_from(bands_of(twice)[0]).unwrap();
                    prop_assert_eq!(tiers.at(x), TierValue::Share(Decimal::new(band, 2)), "{} at {}", tiers, x);
                }
            }
            Err(faults) => prop_assert!(!(covered && each), "{:?} {:?}", ends, faults),
        }
    }
}
