import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.URI;
import java.util.Set;

/** nimbus-jose-jwt: a processor that verifies access tokens (RFC 9068) with a remote key set. */
final class NimbusJoseJwt {
  public static void main(String[] args) throws Exception {
    var url = URI.create(Conversation.ISSUER + "/.well-known/jwks.json").toURL();
    var keys = JWKSourceBuilder.create(url).build();
    var alg = JWSAlgorithm.parse(Conversation.ALG);
    var expected = new JWTClaimsSet.Builder().issuer(Conversation.ISSUER).build();
    var required = Set.of("sub", "iat", "exp", "jti");

    var processor = new DefaultJWTProcessor<SecurityContext>();
    processor.setJWSTypeVerifier(
        new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
    processor.setJWSKeySelector(new JWSVerificationKeySelector<>(alg, keys));
    processor.setJWTClaimsSetVerifier(
        new DefaultJWTClaimsVerifier<>(Conversation.AUDIENCE, expected, required));

    Conversation.converse(null, token -> processor.process(token, null).getSubject());
  }

  private NimbusJoseJwt() {}
}
