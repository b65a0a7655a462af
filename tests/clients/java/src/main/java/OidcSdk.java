import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.TokenIntrospectionRequest;
import com.nimbusds.oauth2.sdk.TokenIntrospectionResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.as.AuthorizationServerMetadata;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.id.Audience;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.token.BearerAccessToken;
import java.net.URI;

/** oauth2-oidc-sdk: discovery, the grant, and introspection, which asks the server about a token. */
final class OidcSdk {
  private final AuthorizationServerMetadata server;
  private final ClientAuthentication client;

  private OidcSdk(AuthorizationServerMetadata server, ClientAuthentication client) {
    this.server = server;
    this.client = client;
  }

  public static void main(String[] args) throws Exception {
    var server = AuthorizationServerMetadata.resolve(new Issuer(Conversation.ISSUER));
    var id = new ClientID(Conversation.CLIENT_ID);
    var secret = new Secret(Conversation.CLIENT_SECRET);
    var sdk = new OidcSdk(server, new ClientSecretBasic(id, secret));
    Conversation.converse(sdk::getToken, sdk::introspect);
  }

  private String getToken() throws Exception {
    var request =
        new TokenRequest.Builder(server.getTokenEndpointURI(), client, new ClientCredentialsGrant())
            .resource(URI.create(Conversation.AUDIENCE))
            .build();
    var response = TokenResponse.parse(request.toHTTPRequest().send());
    if (!response.indicatesSuccess()) {
      throw new Exception(response.toErrorResponse().getErrorObject().toString());
    }
    return response.toSuccessResponse().getTokens().getAccessToken().getValue();
  }

  private String introspect(String token) throws Exception {
    var endpoint = server.getIntrospectionEndpointURI();
    var request = new TokenIntrospectionRequest(endpoint, client, new BearerAccessToken(token));
    var response = TokenIntrospectionResponse.parse(request.toHTTPRequest().send());
    if (!response.indicatesSuccess()) {
      throw new Exception(response.toErrorResponse().getErrorObject().toString());
    }
    var answer = response.toSuccessResponse();
    if (!answer.isActive()) throw new Exception("The token is not active");
    if (!answer.getAudience().contains(new Audience(Conversation.AUDIENCE))) {
      throw new Exception("The token is meant for " + answer.getAudience());
    }
    return answer.getSubject().getValue();
  }
}
