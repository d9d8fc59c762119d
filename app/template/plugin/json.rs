//! JSON, as much of it as is written here.

/// An object whose members keep their order, so that the same notice gives the same bytes.
#[derive(Default)]
pub struct Object(String);

impl Object {
    pub fn text(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        quote(&mut self.0, name);
        self.0.push(':');
        quote(&mut self.0, value);
    }

    /// A text, or no member at all.
    pub fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub fn finish(self) -> String {
        if self.0.is_empty() { "{}".to_owned() } else { self.0 + "}" }
    }
}

fn quote(to: &mut String, text: &str) {
    to.push('"');
    for char in text.chars() {
        match char {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            char if char < ' ' => to.push_str(&format!("\\u{:04x}", char as u32)),
            char => to.push(char),
        }
    }
    to.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_to_be_escaped_is() {
        let mut object = Object::default();
        object.text("工单", "a\"b\\c\nd\u{1}");
        object.maybe("none", None);
        assert_eq!(object.finish(), r#"{"工单":"a\"b\\c\nd\u0001"}"#);
    }
}
