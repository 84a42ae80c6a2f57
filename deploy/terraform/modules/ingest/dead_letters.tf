# Events that Scheduler could not deliver (their body is the event) and runs that failed
# for good (Lambda's record, with the event as requestPayload).
resource "aws_sqs_queue" "dead_letters" {
  name                       = "${local.function_name}-dead-letters"
  message_retention_seconds  = 14 * 24 * 3600 # the most there is: someone has to come and look
  visibility_timeout_seconds = var.timeout    # how long `bourse redrive` has for one
  # Events hold no secrets and no personal data, so SQS's own key is enough, and senders need no rights to one of ours.
  sqs_managed_sse_enabled = true
}

data "aws_iam_policy_document" "dead_letters" {
  statement {
    sid       = "RefusePlainHTTP"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.dead_letters.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.url
  policy    = data.aws_iam_policy_document.dead_letters.json
}
