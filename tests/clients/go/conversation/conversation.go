// Package conversation is the driver's protocol: commands on standard input, answers on standard output.
package conversation

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// What the driver says: who issues tokens, to whom, and what they must be like.
var (
	Issuer       = os.Getenv("ISSUER")
	ClientID     = os.Getenv("CLIENT_ID")
	ClientSecret = os.Getenv("CLIENT_SECRET")
	Audience     = os.Getenv("AUDIENCE")
	Alg          = os.Getenv("ALG")
)

// Client is what a library does. GetToken gives a token, and is nil where the library has no such
// grant. Verify gives the subject of a token, or says why it is not to be taken.
type Client struct {
	GetToken func() (string, error)
	Verify   func(token string) (string, error)
}

// Converse answers commands until they end.
func Converse(client Client) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		command, token, _ := strings.Cut(lines.Text(), " ")
		if command == "token" {
			fmt.Println(obtain(client.GetToken))
		} else {
			fmt.Println(judge(client.Verify, token))
		}
	}
	Must(struct{}{}, lines.Err())
}

// Must gives a value without which a program cannot go on.
func Must[Value any](value Value, err error) Value {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func obtain(getToken func() (string, error)) string {
	if getToken == nil {
		return "unsupported"
	}
	token, err := getToken()
	if err != nil {
		return "error " + describe(err)
	}
	return "token " + token
}

func judge(verify func(string) (string, error), token string) string {
	subject, err := verify(token)
	if err != nil {
		return "invalid " + describe(err)
	}
	return "valid " + subject
}

func describe(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
