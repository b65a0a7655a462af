// keyfunc with golang-jwt: one fetches the key set and keeps it, the other verifies.
package main

import (
	"clients/conversation"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

func main() {
	keys := conversation.Must(keyfunc.NewDefault([]string{conversation.Issuer + "/.well-known/jwks.json"}))
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{conversation.Alg}),
		jwt.WithIssuer(conversation.Issuer),
		jwt.WithAudience(conversation.Audience),
		jwt.WithExpirationRequired(),
	)

	conversation.Converse(conversation.Client{
		Verify: func(text string) (string, error) {
			token, err := parser.Parse(text, keys.Keyfunc)
			if err != nil {
				return "", err
			}
			return token.Claims.GetSubject()
		},
	})
}
