//! jsonwebtoken: it verifies with the keys that it is given. It has no HTTP and keeps no key set, so
//! that both are this program's: it keeps the set, and fetches it anew for a `kid` that is not in it.

mod conversation;
mod keys;

use conversation::{Failure, Situation};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use keys::Keys;
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

fn main() -> Result<(), Failure> {
    let situation = Situation::from_env()?;
    let mut keys = Keys::new(format!("{}/.well-known/jwks.json", situation.issuer));
    conversation::converse(|token| verify(token, &mut keys, &situation))
}

fn verify(token: &str, keys: &mut Keys, situation: &Situation) -> Result<String, Failure> {
    let kid = decode_header(token)?.kid.ok_or("The token has no kid")?;
    let key = DecodingKey::from_jwk(keys.find(&kid)?)?;

    let mut validation = Validation::new(situation.alg.parse()?);
    validation.set_issuer(&[&situation.issuer]);
    validation.set_audience(&[&situation.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true; // by default it is not looked at
    Ok(decode::<Claims>(token, &key, &validation)?.claims.sub)
}
