/*
 * Puts a counter into every branch of a source file: functions, both sides of each condition, loops, cases, handlers.
 */
import ts from 'typescript';

/** Counters given out so far. */
export class Edges {
  count = 0;
}

const counters = 'fuzzEdges';

export function instrument(source: string, fileName: string, edges: Edges): string {
  const bump = (f: ts.NodeFactory): ts.Expression =>
    f.createPostfixIncrement(
      f.createElementAccessExpression(
        f.createPropertyAccessExpression(f.createIdentifier('globalThis'), counters),
        edges.count++,
      ),
    );
  const transformer: ts.TransformerFactory<ts.SourceFile> = (context) => {
    const f = context.factory;
    const counted = (statements: readonly ts.Statement[]): ts.Statement[] => [
      f.createExpressionStatement(bump(f)),
      ...statements,
    ];
    const block = (statement: ts.Statement): ts.Block =>
      f.createBlock(counted(ts.isBlock(statement) ? statement.statements : [statement]), true);
    const comma = (expression: ts.Expression): ts.Expression =>
      f.createParenthesizedExpression(f.createComma(bump(f), expression));
    const branches = new Set([
      ts.SyntaxKind.AmpersandAmpersandToken,
      ts.SyntaxKind.BarBarToken,
      ts.SyntaxKind.QuestionQuestionToken,
    ]);
    const visit = (given: ts.Node): ts.Node => {
      const node = ts.visitEachChild(given, visit, context);
      if (ts.isIfStatement(node)) {
        return f.updateIfStatement(
          node,
          node.expression,
          block(node.thenStatement),
          block(node.elseStatement ?? f.createBlock([])),
        );
      }
      if (ts.isConditionalExpression(node)) {
        return f.updateConditionalExpression(
          node,
          node.condition,
          node.questionToken,
          comma(node.whenTrue),
          node.colonToken,
          comma(node.whenFalse),
        );
      }
      if (ts.isBinaryExpression(node) && branches.has(node.operatorToken.kind)) {
        return f.updateBinaryExpression(node, node.left, node.operatorToken, comma(node.right));
      }
      if (ts.isForStatement(node))
        return f.updateForStatement(
          node,
          node.initializer,
          node.condition,
          node.incrementor,
          block(node.statement),
        );
      if (ts.isForOfStatement(node))
        return f.updateForOfStatement(
          node,
          node.awaitModifier,
          node.initializer,
          node.expression,
          block(node.statement),
        );
      if (ts.isForInStatement(node))
        return f.updateForInStatement(node, node.initializer, node.expression, block(node.statement));
      if (ts.isWhileStatement(node))
        return f.updateWhileStatement(node, node.expression, block(node.statement));
      if (ts.isDoStatement(node)) return f.updateDoStatement(node, block(node.statement), node.expression);
      if (ts.isCaseClause(node)) return f.updateCaseClause(node, node.expression, counted(node.statements));
      if (ts.isCatchClause(node))
        return f.updateCatchClause(node, node.variableDeclaration, block(node.block));
      if (ts.isArrowFunction(node)) {
        const body = ts.isBlock(node.body) ? block(node.body) : comma(node.body);
        return f.updateArrowFunction(
          node,
          node.modifiers,
          node.typeParameters,
          node.parameters,
          node.type,
          node.equalsGreaterThanToken,
          body,
        );
      }
      if (ts.isMethodDeclaration(node) && node.body !== undefined) {
        return f.updateMethodDeclaration(
          node,
          node.modifiers,
          node.asteriskToken,
          node.name,
          node.questionToken,
          node.typeParameters,
          node.parameters,
          node.type,
          block(node.body),
        );
      }
      if (ts.isFunctionDeclaration(node) && node.body !== undefined) {
        return f.updateFunctionDeclaration(
          node,
          node.modifiers,
          node.asteriskToken,
          node.name,
          node.typeParameters,
          node.parameters,
          node.type,
          block(node.body),
        );
      }
      return node;
    };
    return (file) => ts.visitEachChild(file, visit, context);
  };
  const { outputText } = ts.transpileModule(source, {
    fileName,
    transformers: { before: [transformer] },
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      inlineSourceMap: true,
      inlineSources: true,
    },
  });
  return outputText;
}
