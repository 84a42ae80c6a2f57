package main_test

// documentText is docs/lambda.md without its samples; two quotes stand for one of code, three for
// a fence.
const documentText = `# The Lambda function

Written by ''go test ./cmd/ingest-lambda -run TestDocument -update''; the same test without -update fails where this page is
not what it sees. Every event, answer and line here is from an invocation of the program by a runtime API like Lambda's
(''internal/lambdatest''), with PostgreSQL and an invented ECB. Times, durations, hashes and ids are replaced.

The function is ''cmd/ingest-lambda''. One invocation is one run of one source, by the same code as ''bin/ingest''. How it is
deployed says [modules/ingest](../deploy/terraform/modules/ingest/README.md).

## Events

A schedule sends

'''json
{{(index .Is "ok").Event}}
'''

- ''source'' is what to bring up to date: ''ecb'', ''coinbase'' or ''alphavantage''.
- ''window'' is empty to go on where the last run ended, or the first and the last day of a backfill.
- ''reason'' becomes the run's trigger in its record; that of a backfill is ''backfill''.

'''json
{{(index .Is "backfill").Event}}
'''

An event that is none changes nothing and is an error of the invocation:

'''json
{{(index .Is "malformed").Event}}
'''

'''json
{{(index .Is "malformed").Answer}}
'''

## Answers

A run that succeeded, here the first into an empty store but for the newest day:

'''json
{{(index .Is "ok").Answer}}
'''

One that came near its deadline stops by itself, keeps what it has loaded and succeeds. The next run does the rest:

'''json
{{(index .Is "interrupted").Answer}}
'''

One that found another run of its source at work, in whatever process, leaves it to that:

'''json
{{(index .Is "skipped").Answer}}
'''

''retry-after'', ''permanent'' and ''needs-person'' are errors of the invocation, so that Lambda repeats it, counts it and at last puts
its event into the queue of dead letters. What they mean stands in [ARCHITECTURE](../ARCHITECTURE.md):

'''json
{{(index .Is "needs-person").Answer}}
'''

A source that another run holds, a quota that is used up and a deadline are none: the next schedule is soon enough.

## Log

All lines are JSON. ''request'' is Lambda's id of the request, ''trace'' that of X-Ray. The invocation above that a web page
in place of data made ''needs-person'' wrote:

'''json
{{(index .Is "needs-person").Log}}
'''

## Metrics

After a run the log has a line in CloudWatch's embedded metric format, which becomes metrics in the namespace ''bourse'':

'''json
{{(index .Is "ok").Metrics}}
'''

''rows'', ''revisions'', ''quarantined'' and ''lag'' are there only where the run succeeded: one that did not leaves a gap, and the
alarms on silence see that. ''lag'' is for how long the oldest bar that should be there has been missing when the run ended.
''quota_left'' is there where a source has a quota.

## Questions to CloudWatch Logs Insights
{{range .Queries}}
{{.Asks}}

'''text
{{.Query}}
'''
{{end}}
## What faults of AWS come to

Each is met by a run of the ECB when it writes the bytes, and again when it writes their receipt (S3), or by a run of Alpha
Vantage when it reads its key (Secrets Manager). Whatever it comes to, no receipt lies without its bytes, no value without its
receipt, ''bourse verify'' finds nothing, and one more run without the fault brings everything.

| S3 | outcome |
|---|---|
{{range .S3}}| {{.Name}} | ''{{.Outcome}}'' |
{{end}}
| Secrets Manager | outcome |
|---|---|
{{range .Secrets}}| {{.Name}} | ''{{.Outcome}}'' |
{{end}}
A key that the source refuses is read again, once in a run: after a rotation in Secrets Manager the run goes on with
the new one.

## What it costs a run

''go test ./cmd/ingest-lambda -run 'TestBegins|TestInASecond|TestZip|TestHundred' -v'' measures, and fails above, 150 ms from the
start to the first request for an event, 1 s for a run after a new day of the ECB in 512 MiB, 12 MiB for the zip, and any
growth of memory over a hundred invocations.
`
