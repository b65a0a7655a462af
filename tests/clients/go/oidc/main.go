// golang.org/x/oauth2 gets tokens, from the endpoint that go-oidc has discovered; go-oidc verifies them.
package main

import (
	"context"
	"net/url"

	"clients/conversation"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	ctx := context.Background()
	provider := conversation.Must(oidc.NewProvider(ctx, conversation.Issuer))
	verifier := provider.Verifier(&oidc.Config{
		ClientID:             conversation.Audience, // what `aud` must hold
		SupportedSigningAlgs: []string{conversation.Alg},
	})
	config := clientcredentials.Config{
		ClientID:       conversation.ClientID,
		ClientSecret:   conversation.ClientSecret,
		TokenURL:       provider.Endpoint().TokenURL,
		EndpointParams: url.Values{"resource": {conversation.Audience}},
	}

	conversation.Converse(conversation.Client{
		GetToken: func() (string, error) {
			token, err := config.Token(ctx)
			if err != nil {
				return "", err
			}
			return token.AccessToken, nil
		},
		Verify: func(text string) (string, error) {
			token, err := verifier.Verify(ctx, text)
			if err != nil {
				return "", err
			}
			return token.Subject, nil
		},
	})
}
