//! Text that people type: parsed once at the edge of the domain, so that what is inside is known to be good.
//! Lengths count Unicode code points.

use super::Limits;

/// Why a text is refused; the message says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Too short, too long, or nothing but white space.
    #[error("must have {min} to {max} characters, not only white space")]
    Length {
        /// Fewest code points.
        min: usize,
        /// Most code points.
        max: usize,
    },
    /// A character that this kind of text may not have.
    #[error("must not contain control characters")]
    Control,
    /// The text cannot be stored by every database.
    #[error("must not contain the character U+0000")]
    Nul,
    /// A handle's form.
    #[error("must have 3 to 32 characters of a-z, 0-9 and underscore")]
    HandleForm,
    /// An address that a browser would not load, or over an open wire.
    #[error("must be an https address of up to 2048 characters")]
    Address,
}

fn within(text: &str, min: usize, max: usize) -> Result<(), InvalidText> {
    // `take` bounds the work for a text that is far too long.
    let length = text.chars().take(max + 1).count();
    let blank = min > 0 && text.trim().is_empty();
    if length < min || length > max || blank {
        Err(InvalidText::Length { min, max })
    } else {
        Ok(())
    }
}

fn line(text: &str, min: usize, max: usize) -> Result<String, InvalidText> {
    within(text, min, max)?;
    if text.chars().any(char::is_control) {
        Err(InvalidText::Control)
    } else {
        Ok(text.to_owned())
    }
}

/// The text of a message: as it was sent, line breaks included.
pub fn message_text(text: &str, limits: &Limits) -> Result<String, InvalidText> {
    within(text, 1, limits.text_chars_max)?;
    if text.contains('\0') {
        Err(InvalidText::Nul)
    } else {
        Ok(text.to_owned())
    }
}

/// A unique name.
pub fn handle(text: &str) -> Result<String, InvalidText> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if (3..=32).contains(&text.len()) && text.bytes().all(letters) {
        Ok(text.to_owned())
    } else {
        Err(InvalidText::HandleForm)
    }
}

/// A name to show.
pub fn display_name(text: &str) -> Result<String, InvalidText> {
    line(text, 1, 64)
}

/// The name that a device gives itself.
pub fn device_name(text: &str) -> Result<String, InvalidText> {
    line(text, 1, 64)
}

/// Title of a group or channel.
pub fn title(text: &str) -> Result<String, InvalidText> {
    line(text, 1, 100)
}

/// What a group or channel is about.
pub fn topic(text: &str) -> Result<String, InvalidText> {
    within(text, 1, 500)?;
    if text.contains('\0') {
        Err(InvalidText::Nul)
    } else {
        Ok(text.to_owned())
    }
}

/// A key by which a client tries again.
pub fn idempotency_key(text: &str) -> Result<String, InvalidText> {
    line(text, 1, 64)
}

/// A new password. Any character counts; a long one is no burden, since it is hashed.
pub fn password(text: &str) -> Result<String, InvalidText> {
    let (min, max) = (10, 256);
    let length = text.chars().take(max + 1).count();
    if (min..=max).contains(&length) {
        Ok(text.to_owned())
    } else {
        Err(InvalidText::Length { min, max })
    }
}

/// The address of a picture.
pub fn avatar_url(text: &str) -> Result<String, InvalidText> {
    let short = text.chars().take(2_049).count() <= 2_048;
    match url::Url::parse(text) {
        Ok(url) if short && url.scheme() == "https" && url.has_host() => Ok(text.to_owned()),
        _ => Err(InvalidText::Address),
    }
}

/// The form in which names are compared and searched, the same on every database.
pub fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// What does not end a word: apostrophes, and marks that belong to the letter before.
fn goes_on(letter: char) -> bool {
    matches!(letter, '\'' | '’' | '\u{300}'..='\u{36f}')
}

/// A text to look for as it stands in [`from_each_word`]: without the signs before its first word, unless it is nothing
/// but signs.
pub fn searched(search: &str) -> String {
    let folded = folded(search);
    let word = folded.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    if word.is_empty() {
        folded
    } else {
        word.to_owned()
    }
}

/// A title from each of its words on, folded, each once: whoever looks for the beginning of a word, or of several in a
/// row, looks for the beginning of one of these.
pub fn from_each_word(title: &str) -> Vec<String> {
    let folded = folded(title);
    let mut is_in_word = false;
    let mut beginnings = Vec::new();
    for (place, letter) in folded.char_indices() {
        if letter.is_alphanumeric() && !is_in_word {
            beginnings.push(folded[place..].to_owned());
        }
        is_in_word = letter.is_alphanumeric() || is_in_word && goes_on(letter);
    }
    // A title of nothing but signs is found by itself.
    if beginnings.is_empty() {
        beginnings.push(folded);
    }
    beginnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_1_to_10000_code_points_that_are_not_all_white() {
        let limits = Limits::default();
        for good in ["hi", " x ", "two\nlines\t", "😀", &"😀".repeat(10_000)] {
            assert_eq!(message_text(good, &limits).as_deref(), Ok(good));
        }
        for bad in ["", " ", "\n\t\u{2003}", &"x".repeat(10_001)] {
            assert_eq!(
                message_text(bad, &limits),
                Err(InvalidText::Length {
                    min: 1,
                    max: 10_000
                })
            );
        }
        assert_eq!(message_text("a\0b", &limits), Err(InvalidText::Nul));
    }

    #[test]
    fn a_handle_has_only_small_letters_digits_and_underscores() {
        for good in ["abc", "a_1", "___", &"x".repeat(32)] {
            assert!(handle(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "Alice", "a b", "änne", "a-b", &"x".repeat(33)] {
            assert_eq!(handle(bad), Err(InvalidText::HandleForm), "{bad}");
        }
    }

    #[test]
    fn one_line_texts_have_no_control_characters() {
        assert_eq!(display_name("Al\u{7}ice"), Err(InvalidText::Control));
        assert_eq!(title("two\nlines"), Err(InvalidText::Control));
        assert!(topic("two\nlines").is_ok());
        assert_eq!(
            title(&"x".repeat(101)),
            Err(InvalidText::Length { min: 1, max: 100 })
        );
        assert_eq!(
            idempotency_key(""),
            Err(InvalidText::Length { min: 1, max: 64 })
        );
    }

    #[test]
    fn a_picture_has_an_https_address() {
        assert!(avatar_url("https://example.com/a.png").is_ok());
        for bad in [
            "",
            "http://example.com/a",
            "javascript:alert(1)",
            "https://",
            "a.png",
        ] {
            assert_eq!(avatar_url(bad), Err(InvalidText::Address), "{bad}");
        }
        assert_eq!(
            avatar_url(&format!("https://e.com/{}", "x".repeat(2_048))),
            Err(InvalidText::Address)
        );
    }

    #[test]
    fn a_title_is_found_by_the_beginning_of_any_word() {
        assert_eq!(
            from_each_word("Rust-Anfänger: café 2"),
            ["rust-anfänger: café 2", "anfänger: café 2", "café 2", "2"]
        );
        assert_eq!(from_each_word("→ ♥"), ["→ ♥"]);
        assert_eq!(
            from_each_word("Don't ga\u{308}hnen"),
            ["don't ga\u{308}hnen", "ga\u{308}hnen"]
        );
        assert_eq!(from_each_word("'Tis"), ["tis"]);
        assert_eq!(
            (searched("#Rust"), searched("→")),
            ("rust".into(), "→".into())
        );
    }
}
