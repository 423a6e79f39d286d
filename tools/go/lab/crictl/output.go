package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"

	"github.com/docker/go-units"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"
)

var asJSON = protojson.MarshalOptions{EmitDefaultValues: true, Indent: "  "}

// printList prints IDs, a table, or the whole message. As in the real one, a format overrides --quiet.
func printList(format string, quiet bool, ids []string, rows [][]string, message proto.Message) error {
	switch format {
	case "json", "yaml":
		text, err := asJSON.Marshal(message)
		if err == nil && format == "yaml" {
			text, err = yaml.JSONToYAML(text)
		}
		if err != nil {
			return err
		}
		fmt.Println(string(text))
	case "table":
		if quiet {
			for _, id := range ids {
				fmt.Println(id)
			}
			return nil
		}
		table := tabwriter.NewWriter(os.Stdout, 20, 1, 3, ' ', 0)
		for _, row := range rows {
			fmt.Fprintln(table, strings.Join(row, "\t"))
		}
		return table.Flush()
	default:
		return fmt.Errorf("unsupported output format %q", format)
	}
	return nil
}

// printValue prints the results of inspect and info.
func printValue(format, text string, value any) error {
	encoded, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	switch format {
	case "json":
		fmt.Println(string(encoded))
	case "yaml":
		encoded, err = yaml.JSONToYAML(encoded)
		if err != nil {
			return err
		}
		fmt.Println(string(encoded))
	case "go-template":
		parsed, err := template.New("").Parse(text)
		if err != nil {
			return fmt.Errorf("execute template: %w", err)
		}
		var output bytes.Buffer
		if err := parsed.Execute(&output, value); err != nil {
			return fmt.Errorf("execute template: %w", err)
		}
		fmt.Println(output.String())
	default:
		return fmt.Errorf("unsupported format: %q", format)
	}
	return nil
}

// valueOf returns a message as plain maps, with the names that its JSON has.
func valueOf(message proto.Message) (map[string]any, error) {
	text, err := asJSON.Marshal(message)
	if err != nil {
		return nil, err
	}
	value := map[string]any{}
	return value, json.Unmarshal(text, &value)
}

func age(createdAt int64) string {
	return units.HumanDuration(time.Since(time.Unix(0, createdAt))) + " ago"
}

// titled turns CONTAINER_RUNNING into Running.
func titled(state, prefix string) string {
	state = strings.TrimPrefix(state, prefix)
	return state[:1] + strings.ToLower(state[1:])
}
