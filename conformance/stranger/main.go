// A stranger for two judges to be tried on: conformance.v1.Calls by connect-go, as far as they call it, with reflection. Plaintext, both HTTP/1.1 and HTTP/2, on one port; TLS on another.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const service = "conformance.v1.Calls"

type (
	message = dynamicpb.Message
	method  = protoreflect.MethodDescriptor
)

func main() {
	descriptors := flag.String("descriptors", "", "a FileDescriptorSet with the service")
	certificate := flag.String("certificate", "", "the server's certificate, PEM")
	key := flag.String("key", "", "its key, PEM")
	origin := flag.String("origin", "", "the origin whose pages may call")
	flag.Parse()
	files, err := load(*descriptors)
	check(err)
	found, err := files.FindDescriptorByName(service)
	check(err)
	handler := crossOrigin(*origin, routes(found.(protoreflect.ServiceDescriptor), files))

	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: protocols}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	encrypted, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("listening on tcp://%s\nlistening on tls://%s\n", plain.Addr(), encrypted.Addr())
	go func() { check(server.ServeTLS(encrypted, *certificate, *key)) }()
	check(server.Serve(plain))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func load(path string) (*protoregistry.Files, error) {
	encoded, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(encoded, &set); err != nil {
		return nil, err
	}
	return protodesc.NewFiles(&set)
}

func routes(calls protoreflect.ServiceDescriptor, files *protoregistry.Files) *http.ServeMux {
	mux := http.NewServeMux()
	echo, download, fail := method(calls.Methods().ByName("Echo")), calls.Methods().ByName("Download"), calls.Methods().ByName("Fail")
	mux.Handle(path(echo), connect.NewUnaryHandler(path(echo), func(_ context.Context, request *connect.Request[message]) (*connect.Response[message], error) {
		counted(request.Header().Get("x-call-id"), 1)
		return connect.NewResponse(reply(echo, get(request.Msg, "payload").Bytes())), nil
	}, append(options(echo), connect.WithIdempotency(connect.IdempotencyNoSideEffects))...))
	mux.Handle(path(download), connect.NewServerStreamHandler(path(download), func(_ context.Context, request *connect.Request[message], replies *connect.ServerStream[message]) error {
		size := get(request.Msg, "size").Uint()
		for n := range get(request.Msg, "count").Uint() {
			payload := make([]byte, size)
			for i := range payload {
				payload[i] = byte((n + uint64(i)) % 251)
			}
			if err := replies.Send(reply(download, payload)); err != nil {
				return err
			}
		}
		return nil
	}, options(download)...))
	mux.Handle(path(fail), connect.NewUnaryHandler(path(fail), func(_ context.Context, request *connect.Request[message]) (*connect.Response[message], error) {
		code := connect.Code(get(request.Msg, "code").Uint())
		return nil, connect.NewError(code, errors.New(get(request.Msg, "message").String()))
	}, options(fail)...))

	observe := method(calls.Methods().ByName("Observe"))
	mux.Handle(path(observe), connect.NewUnaryHandler(path(observe), func(_ context.Context, request *connect.Request[message]) (*connect.Response[message], error) {
		made := dynamicpb.NewMessage(observe.Output())
		seen := counted(get(request.Msg, "call_id").String(), 0)
		made.Set(observe.Output().Fields().ByName("calls"), protoreflect.ValueOfUint32(seen))
		return connect.NewResponse(made), nil
	}, options(observe)...))

	names := grpcreflect.NamerFunc(func() []string { return []string{service} })
	reflector := grpcreflect.NewReflector(names, grpcreflect.WithDescriptorResolver(files))
	mux.Handle(grpcreflect.NewHandlerV1(reflector))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector))
	return mux
}

var (
	seen     = map[string]uint32{}
	seenLock sync.Mutex
)

// How many calls with this id have come, after `more` have come now.
func counted(id string, more uint32) uint32 {
	seenLock.Lock()
	defer seenLock.Unlock()
	seen[id] += more
	return seen[id]
}

func path(called method) string {
	return fmt.Sprintf("/%s/%s", service, called.Name())
}

// Messages are made as the method's description has them.
func options(called method) []connect.HandlerOption {
	fill := func(_ connect.Spec, made any) error {
		if request, ok := made.(*message); ok {
			*request = *dynamicpb.NewMessage(called.Input())
		}
		return nil
	}
	return []connect.HandlerOption{connect.WithSchema(called), connect.WithRequestInitializer(fill)}
}

func get(from *message, name protoreflect.Name) protoreflect.Value {
	return from.Get(from.Descriptor().Fields().ByName(name))
}

func reply(called method, payload []byte) *message {
	made := dynamicpb.NewMessage(called.Output())
	made.Set(called.Output().Fields().ByName("payload"), protoreflect.ValueOfBytes(payload))
	return made
}

// Lets the pages of one origin call.
func crossOrigin(origin string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if origin != "" && request.Header.Get("Origin") == origin {
			response.Header().Set("Access-Control-Allow-Origin", origin)
			response.Header().Set("Access-Control-Expose-Headers", "grpc-status, grpc-message, grpc-status-details-bin")
			if request.Method == http.MethodOptions {
				response.Header().Set("Access-Control-Allow-Methods", "GET, POST")
				response.Header().Set("Access-Control-Allow-Headers", request.Header.Get("Access-Control-Request-Headers"))
				response.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(response, request)
	})
}
