//! What stands before the parsers: texts, measured in one pass.
//!
//! The parser recurses without a bound on nested values: some 1,600 brackets overflow its stack and end the process.

use async_graphql::ServerError;
use memchr::memchr2;

use super::guard::rejected;
use crate::model::Limits;

/// Checks a document's text, in one pass; how many words, numbers and marks it has.
pub(super) fn check_text(text: &str, limits: &Limits) -> Result<usize, ServerError> {
    let max = limits.document_bytes_max;
    if text.len() > max {
        return Err(rejected(format!("the document has more than {max} bytes")));
    }
    let max = limits.document_nesting_max;
    let Some(measure) = measure(text.as_bytes()) else {
        return Err(rejected("a string in the document has no end".to_owned()));
    };
    if measure.nesting > max {
        return Err(rejected(format!(
            "the document nests brackets more than {max} deep"
        )));
    }
    let max = limits.name_bytes_max;
    if measure.longest > max {
        return Err(rejected(format!(
            "the document has a name or number of more than {max} letters"
        )));
    }
    let max = limits.document_tokens_max;
    if measure.tokens > max {
        return Err(rejected(format!(
            "the document has more than {max} words, numbers and marks"
        )));
    }
    Ok(measure.tokens)
}

/// How large a text of JSON is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JsonSize {
    /// How many values it may have.
    pub marks: usize,
    /// Lists and objects within each other.
    pub nesting: usize,
}

/// Measures a text of JSON in one pass: what is in strings does not count. A text that is no JSON has some size too.
pub fn json_size(text: &[u8]) -> JsonSize {
    let mut size = JsonSize::default();
    let mut depth = 0usize;
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'"' => rest = behind_string(rest),
            b',' => size.marks += 1,
            b'[' | b'{' => {
                size.marks += 1;
                depth += 1;
                size.nesting = size.nesting.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    size
}

/// What comes behind the string that begins here.
fn behind_string(mut text: &[u8]) -> &[u8] {
    while let Some(at) = memchr2(b'"', b'\\', text) {
        let is_end = text[at] == b'"';
        text = text
            .get(at + if is_end { 1 } else { 2 }..)
            .unwrap_or_default();
        if is_end {
            return text;
        }
    }
    &[]
}

/// How large a document is, as far as its text alone tells.
#[derive(Debug, PartialEq, Eq)]
struct Measure {
    /// Brackets within brackets.
    nesting: usize,
    /// Words, numbers, strings and marks.
    tokens: usize,
    /// Bytes of the longest word or number.
    longest: usize,
}

/// Measures a text; what is in strings and comments does not count. Nothing when a string has no end: the parser takes
/// such a quote for something else and reads on, so what follows it would not be counted.
fn measure(text: &[u8]) -> Option<Measure> {
    let (mut depth, mut nesting, mut tokens, mut at) = (0usize, 0, 0, 0);
    let (mut inside, mut number, mut word, mut longest) = (false, false, 0, 0);
    while let Some(byte) = text.get(at) {
        let before = at.checked_sub(1).and_then(|at| text.get(at)).copied();
        let before = before.unwrap_or(b' ');
        // A sign or a dot is part of a number that has begun; elsewhere it begins something.
        let goes_on = number
            && match byte {
                b'-' | b'+' => matches!(before, b'e' | b'E'),
                b'.' => before.is_ascii_digit(),
                _ => false,
            };
        let wordy = byte.is_ascii_alphanumeric() || *byte == b'_' || goes_on;
        let is_space = matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'#')
            || (*byte == b'.' && before == b'.');
        number = if inside {
            number
        } else {
            byte.is_ascii_digit()
        };
        tokens += usize::from(if wordy { !inside } else { !is_space });
        inside = wordy;
        word = if wordy { word + 1 } else { 0 };
        longest = longest.max(word);
        match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                nesting = nesting.max(depth);
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => {
                let comment = text[at..]
                    .iter()
                    .take_while(|byte| !matches!(byte, b'\n' | b'\r'));
                at += comment.count() - 1;
            }
            b'"' => at = end_of_string(text, at)?,
            _ => {}
        }
        at += 1;
    }
    Some(Measure {
        nesting,
        tokens,
        longest,
    })
}

/// The place of the quote that ends the string which begins at `start`.
fn end_of_string(text: &[u8], start: usize) -> Option<usize> {
    let block = text[start..].starts_with(b"\"\"\"");
    let mut at = start + if block { 3 } else { 1 };
    loop {
        match text.get(at)? {
            b'\\' if block && text[at..].starts_with(b"\\\"\"\"") => at += 3,
            b'\\' if !block => at += 1,
            b'"' if block && text[at..].starts_with(b"\"\"\"") => return Some(at + 2),
            b'"' if !block => return Some(at),
            b'\n' | b'\r' if !block => return None,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_what_is_in_strings_is_not() {
        let size = |text: &[u8]| {
            let JsonSize { marks, nesting } = json_size(text);
            (marks, nesting)
        };
        assert_eq!(size(br#"{"a":[1,2,{"b":"[,{\"[,"}],"c":null}"#), (6, 3));
        assert_eq!(size(b"[[],[[]]]"), (5, 3));
        assert_eq!(size(b"]]]["), (1, 1));
        assert_eq!(size(b""), (0, 0));
        assert_eq!(size(br#""\"#), (0, 0));
    }

    #[test]
    fn what_is_written_without_spaces_is_counted_too() {
        let tokens = |text: &str| measure(text.as_bytes()).map(|measure| measure.tokens);
        assert_eq!(tokens("[-1-1-1]"), Some(8));
        assert_eq!(tokens("[1.5e-3 -1.0E+2]"), Some(5));
        assert_eq!(tokens("{...A...B}"), Some(6));
        assert_eq!(tokens("e-1e-1"), Some(3));
        assert_eq!(tokens("$a:Int!=3"), Some(7));
    }

    #[test]
    fn a_name_is_as_long_as_names_are() {
        let limits = Limits::default();
        let named = |letters: usize| check_text(&format!("{{{}:a}}", "x".repeat(letters)), &limits);
        assert!(named(128).is_ok());
        assert!(named(129).is_err_and(|error| error.message.contains("128 letters")));
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        assert_eq!(
            measure(b"{a(b:[1]) # {{{{\n}").map(|measure| measure.nesting),
            Some(3)
        );
        assert_eq!(
            measure(br#"{a(b:"{{{{\"{{{")}"#).map(|measure| measure.nesting),
            Some(2)
        );
        assert_eq!(
            measure(br#"{a(b:"""{{{ " \""" {{{""")}"#).map(|measure| measure.nesting),
            Some(2)
        );
        assert_eq!(measure(b"#").map(|measure| measure.nesting), Some(0));
    }

    #[test]
    fn a_string_without_an_end_hides_nothing() {
        let nested = format!("{}1{}", "[".repeat(1_600), "]".repeat(1_600));
        for opening in ["\"\"\"\"", "\"\"\"", "\"", "\"\\", "\"a\n"] {
            assert_eq!(measure(opening.as_bytes()), None, "{opening}");
            let text = format!("{{f(v:[{opening} {nested}])}}");
            assert!(
                check_text(&text, &Limits::default())
                    .is_err_and(|error| error.message.contains("has no end")),
                "{opening}"
            );
        }
    }

    #[test]
    fn nested_values_are_refused_before_the_parser_sees_them() {
        for depth in [65, 1_600, 6_000, 15_000] {
            let text = format!("{{f(v:{}1{})}}", "[".repeat(depth), "]".repeat(depth));
            assert!(
                check_text(&text, &Limits::default())
                    .is_err_and(|error| error.message.contains("more than 64 deep")),
                "{depth}"
            );
        }
        assert!(
            check_text(&"x".repeat(33 * 1024), &Limits::default())
                .is_err_and(|error| error.message.contains("32768 bytes"))
        );
    }
}
