//! The driver's protocol: commands on standard input, answers on standard output.

use std::error::Error;
use std::io::stdin;

pub type Failure = Box<dyn Error>;

/// What the driver says of tokens: who issues them, for whom, and how they are signed.
pub struct Situation {
    pub issuer: String,
    pub audience: String,
    pub alg: String,
}

impl Situation {
    pub fn from_env() -> Result<Self, Failure> {
        let var = std::env::var;
        Ok(Self {
            issuer: var("ISSUER")?,
            audience: var("AUDIENCE")?,
            alg: var("ALG")?,
        })
    }
}

/// Answers commands until they end. `verify` gives the subject of a token, or says why it is not to
/// be taken. Tokens are not got: the library has no such grant.
pub fn converse(mut verify: impl FnMut(&str) -> Result<String, Failure>) -> Result<(), Failure> {
    for line in stdin().lines() {
        match line?.strip_prefix("verify ").map(&mut verify) {
            None => println!("unsupported"),
            Some(Ok(subject)) => println!("valid {subject}"),
            Some(Err(error)) => println!("invalid {}", describe(&error)),
        }
    }
    Ok(())
}

fn describe(error: &Failure) -> String {
    error
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
