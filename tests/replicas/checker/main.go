// Tells of a history of operations whether it is linearizable: whether some order in which each
// operation takes effect at one moment between its call and its return explains every answer
// (Herlihy and Wing, 1990). Reads one operation a line, as JSON, and writes a verdict on each
// subject, since subjects do not depend on one another.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// How many operations are shown before the place where no order goes on, and after it.
const shown = 20

// How long one subject may take; what is undecided by then is told as such.
const patience = 60 * time.Second

// An operation as whoever called it saw it.
type operation struct {
	Client  int    `json:"client"`
	Subject string `json:"subject"`
	Action  string `json:"action"`
	// The password that was offered or set; of a registration without an answer, none.
	Password string `json:"password,omitempty"`
	// The password that was given for it.
	Replacement string `json:"replacement,omitempty"`
	Answer      string `json:"answer"`
	Count       int    `json:"count,omitempty"`
	// Places in the one order of all calls and returns; no return when nobody knows what came of it.
	Call   int64  `json:"call"`
	Return *int64 `json:"return,omitempty"`
}

// What was found out about a subject.
type verdict struct {
	Subject string `json:"subject"`
	Result  string `json:"result"`
	// Where it is not linearizable: the operations, those first that can be brought into an order.
	Explanation []string `json:"explanation,omitempty"`
}

func main() {
	subjects, err := read(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	encoder := json.NewEncoder(os.Stdout)
	for _, name := range slices.Sorted(maps.Keys(subjects)) {
		found, err := judge(name, subjects[name])
		if err == nil {
			err = encoder.Encode(found)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// Gives the operations by subject.
func read(input io.Reader) (map[string][]porcupine.Operation, error) {
	subjects := map[string][]porcupine.Operation{}
	scanner := bufio.NewScanner(input)
	for scanner.Scan() {
		var one operation
		decoder := json.NewDecoder(strings.NewReader(scanner.Text()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&one); err != nil {
			return nil, fmt.Errorf("%q is no operation: %w", scanner.Text(), err)
		}
		end := int64(math.MaxInt64)
		if one.Return != nil {
			end = *one.Return
		}
		subjects[one.Subject] = append(subjects[one.Subject], porcupine.Operation{
			ClientId: one.Client,
			Input:    one,
			Call:     one.Call,
			Return:   end,
		})
	}
	return subjects, scanner.Err()
}

func judge(subject string, history []porcupine.Operation) (verdict, error) {
	kind, _, _ := strings.Cut(subject, " ")
	model, ok := models[kind]
	if !ok {
		return verdict{}, fmt.Errorf("there is no model of %q", subject)
	}
	result := porcupine.CheckOperationsTimeout(model, history, patience)
	if result != porcupine.Illegal {
		return verdict{Subject: subject, Result: string(result)}, nil
	}
	_, info := porcupine.CheckOperationsVerbose(model, history, patience)
	return verdict{subject, string(result), explain(model, history, info)}, nil
}

// The longest order that can be found, with the state after each operation, and what does not fit.
func explain(
	model porcupine.Model,
	history []porcupine.Operation,
	info porcupine.LinearizationInfo,
) []string {
	var longest []porcupine.Operation
	for _, order := range info.PartialLinearizationsOperations()[0] {
		if len(order) > len(longest) {
			longest = order
		}
	}
	var lines []string
	fits := map[operation]bool{}
	state := model.Init()
	for _, one := range longest {
		_, state = model.Step(state, one.Input, one.Output)
		fits[one.Input.(operation)] = true
		lines = append(lines, fmt.Sprintf("%s: %+v", describe(one), state))
	}
	lines = lines[max(0, len(lines)-shown):]
	rest := slices.DeleteFunc(slices.Clone(history), func(one porcupine.Operation) bool {
		return fits[one.Input.(operation)]
	})
	slices.SortFunc(rest, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	for _, one := range rest[:min(shown, len(rest))] {
		lines = append(lines, "does not fit: "+describe(one))
	}
	return lines
}

func describe(one porcupine.Operation) string {
	input := one.Input.(operation)
	until := "…"
	if input.Return != nil {
		until = fmt.Sprint(*input.Return)
	}
	words := []string{
		fmt.Sprintf("[%d–%s] client %d:", input.Call, until, input.Client),
		input.Action,
		input.Password,
		"→",
		input.Answer,
		input.Replacement,
	}
	if input.Answer == "counted" {
		words = append(words, fmt.Sprint(input.Count))
	}
	return strings.Join(words, " ")
}
