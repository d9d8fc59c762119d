package sla

import rego.v1

limits := {
	"failure": {"response": 600000000, "resolution": 7200000000, "late_response": 50000, "late_resolution": 100000},
	"emergency": {"response": 1800000000, "resolution": 14400000000, "late_response": 20000, "late_resolution": 50000},
	"usability": {"response": 3600000000, "resolution": 28800000000, "late_response": 10000, "late_resolution": 20000},
	"performance": {"response": 7200000000, "resolution": 86400000000, "late_response": 5000, "late_resolution": 10000},
	"question": {"response": 14400000000, "resolution": 259200000000, "late_response": 0, "late_resolution": 2000},
	"training": {"response": 28800000000, "resolution": 604800000000, "late_response": 0, "late_resolution": 0},
	"personalised": {"response": 3600000000, "resolution": 86400000000, "late_response": 10000, "late_resolution": 20000},
	"other": {"response": 1800000000, "resolution": 28800000000, "late_response": 5000, "late_resolution": 10000},
}

own := limits[input.kind]

due_response := input.reported_at + own.response

due_resolution := input.reported_at + own.resolution

responded := 1735689600000000 if input.responded_at == null else := input.responded_at

resolved := 1735689600000000 if input.resolved_at == null else := input.resolved_at

default breach_response := false

breach_response if due_response < responded

default breach_resolution := false

breach_resolution if due_resolution < resolved

default free := false

free if input.reported_at <= input.warranty_end

late_response := responded - due_response if breach_response else := 0

late_resolution := resolved - due_resolution if breach_resolution else := 0

penalty_response := own.late_response if breach_response else := 0

penalty_resolution := own.late_resolution if breach_resolution else := 0

decision := [
	due_response,
	due_resolution,
	breach_response,
	breach_resolution,
	late_response,
	late_resolution,
	free,
	penalty_response + penalty_resolution,
]
