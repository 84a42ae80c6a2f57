module bourse/tools/lambda

go 1.26.3
