// The parts of Apple's NSURLSession that the sample uses, on top of GNUstep's NSURLConnection: it calls back at once.
#import <Foundation/Foundation.h>

typedef int dispatch_semaphore_t;
#define DISPATCH_TIME_FOREVER 0
#define dispatch_semaphore_create(count) (count)
#define dispatch_semaphore_signal(semaphore) ((void)(semaphore))
#define dispatch_semaphore_wait(semaphore, time) ((void)(semaphore))
#define NSURLSession SampleSession
#define NSURLSessionDataTask SampleTask

@interface SampleTask : NSObject
{
    NSURLRequest *request;
    void (^handler)(NSData *, NSURLResponse *, NSError *);
}
- (id)initWithRequest:(NSURLRequest *)asked handler:(void (^)(NSData *, NSURLResponse *, NSError *))called;
- (void)resume;
@end

@implementation SampleTask
- (id)initWithRequest:(NSURLRequest *)asked handler:(void (^)(NSData *, NSURLResponse *, NSError *))called
{
    self = [super init];
    NSMutableURLRequest *bounded = [asked mutableCopy];
    [bounded setTimeoutInterval:20.0]; // GNUstep takes the sample's 0 for no time at all, Apple for the default
    request = bounded;
    handler = called;
    return self;
}
- (void)resume
{
    NSURLResponse *response = nil;
    NSError *error = nil;
    NSData *data = [NSURLConnection sendSynchronousRequest:request returningResponse:&response error:&error];
    handler(data, response, data == nil ? error : nil);
}
@end

@interface SampleSession : NSObject
+ (SampleSession *)sharedSession;
- (SampleTask *)dataTaskWithRequest:(NSURLRequest *)request
                  completionHandler:(void (^)(NSData *, NSURLResponse *, NSError *))handler;
@end

@implementation SampleSession
+ (SampleSession *)sharedSession
{
    return [[self alloc] init];
}
- (SampleTask *)dataTaskWithRequest:(NSURLRequest *)request
                  completionHandler:(void (^)(NSData *, NSURLResponse *, NSError *))handler
{
    return [[SampleTask alloc] initWithRequest:request handler:handler];
}
@end
