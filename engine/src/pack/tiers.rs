//! The tables of terms.toml, each band checked where it stands.

use std::sync::Arc;

use super::source::Faults;
use super::table::Value;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::terms::{BandText, ENDS, Spot, TermValue, TierFault, TierMistake, TierUnit};

/// Where a band and its values stand.
struct BandPlaces {
    whole: Place,
    ends: [Option<Place>; 4],
    is: Option<Place>,
}

impl BandPlaces {
    /// The place of a value by its key; `lower` and `upper` are the ends whatever their keys.
    fn of(&self, key: Option<&str>) -> &Place {
        let [from, above, below, to] = &self.ends;
        let found = match key {
            Some("from") => from.as_ref(),
            Some("above") => above.as_ref(),
            Some("below") => below.as_ref(),
            Some("to") => to.as_ref(),
            Some("lower") => from.as_ref().or(above.as_ref()),
            Some("upper") => below.as_ref().or(to.as_ref()),
            Some("is") => self.is.as_ref(),
            _ => None,
        };
        found.unwrap_or(&self.whole)
    }
}

/// Reads the table that is the value of a term.
pub(super) fn tiers(name: &str, unit: TierUnit, value: &Value<'_>, faults: &mut Faults) -> Option<TermValue> {
    if !value.value.get_ref().is_array() {
        let message = format!(
            "term `{name}`: expected a list of tiers, such as \
             `[{{ below = \"95\", is = \"10\" }}, {{ from = \"95\", is = \"0\" }}]`"
        );
        faults.add(Code::TERM, value.place.clone(), message);
        return None;
    }
    let mut whole = true;
    let (mut texts, mut places) = (Vec::new(), Vec::new());
    for item in value.items(faults) {
        let Some(mut table) = item.table(faults) else {
            whole = false;
            continue;
        };
        let ends = ENDS.map(|key| table.get(key));
        let is = table.need("is", faults);
        table.end(faults);
        let mut number = |value: &Option<Value<'_>>| {
            let value = value.as_ref()?;
            let text = value.scalar();
            if text.is_none() {
                let message = format!("term `{name}`: `{}` is no number", value.name);
                faults.add(Code::TERM, value.place.clone(), message);
                whole = false;
            }
            text
        };
        let text =
            BandText { ends: [0, 1, 2, 3].map(|i| ends.get(i).and_then(&mut number)), is: number(&is) };
        whole &= is.is_some();
        texts.push(text);
        let place = |value: &Option<Value<'_>>| value.as_ref().map(|value| value.place.clone());
        let ends = [0, 1, 2, 3].map(|i| ends.get(i).and_then(place));
        places.push(BandPlaces { whole: item.place.clone(), ends, is: place(&is) });
    }
    match unit.read(&texts) {
        Ok(tiers) if whole => Some(TermValue::Tiers(Arc::new(tiers))),
        Ok(_) => None,
        Err(wrong) => {
            // Around a band that cannot be read nothing is known.
            let known = |fault: &&TierFault| whole || fault.what == TierMistake::Value && !places.is_empty();
            for fault in wrong.iter().filter(known) {
                tell(name, fault, &places, &value.place, faults);
            }
            None
        }
    }
}

fn tell(name: &str, fault: &TierFault, places: &[BandPlaces], list: &Place, faults: &mut Faults) {
    let place = |(band, key): Spot| places.get(band).map_or(list, |places| places.of(key)).clone();
    let (code, label) = match fault.what {
        TierMistake::Value => (Code::TERM, ""),
        TierMistake::Gap => (Code::TIER_GAP, "a gap at this end"),
        TierMistake::Overlap => (Code::TIER_OVERLAP, "within the other tier"),
    };
    let told = Diagnostic::new(code, place(fault.at), format!("term `{name}`: {}", fault.message));
    let told = if label.is_empty() { told } else { told.label(label) };
    faults.tell(match &fault.other {
        Some((spot, said)) => told.related(place(*spot), said.clone()),
        None => told,
    });
}
