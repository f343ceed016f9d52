module stranger

go 1.25

require (
	connectrpc.com/connect v1.19.1
	connectrpc.com/grpcreflect v1.3.0
	google.golang.org/protobuf v1.36.10
)
